//! The terminal: a calm summary that is drawn anew each second, or one line a record where there is no terminal.

use crate::summary::{MissionControl, Style};
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::record::Record;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// Between two drawings.
const DRAW_EVERY: Duration = Duration::from_secs(1);

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// As single-line JSON, the record as the log holds it.
    Json,
    /// As a sentence.
    Text,
}

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether emphasis may be used: on a terminal, unless `NO_COLOR` is set.
pub fn style(no_color: bool) -> Style {
    if is_terminal() && !no_color { Style::Ansi } else { Style::Plain }
}

/// Writes a line to standard output; a reader that went away is no failure of ours.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Writes a line to standard error.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints one record.
pub fn record(record: &Record, lines: Lines) {
    let text = match lines {
        Lines::Json => serde_json::to_string(record).unwrap_or_default(),
        Lines::Text => {
            let error = record.error.as_deref().map(|error| format!(" · {error}")).unwrap_or_default();
            let time = record.timestamp.to_string();
            let time = time.get(11..19).unwrap_or("--:--:--");
            format!(
                "{time} {:<22} {:<22} {}{error}",
                record.agent_name,
                record.intent_type.as_str(),
                record.intent_summary
            )
        }
    };
    say(&text);
}

/// Draws the summary each second until a stop is asked for. `foot` stands below it.
pub async fn live(mission_control: MissionControl, foot: String, style: Style, mut stop: Stop) {
    // Clears what is there once; later each line is cleared to its end, so that nothing flickers.
    say("\u{1b}[2J");
    loop {
        let body = match mission_control.summary().await {
            Ok(summary) => summary.render(style),
            Err(error) => format!("{error}\n"),
        };
        let mut screen = String::from("\u{1b}[H");
        for line in body.lines().chain([""]).chain(foot.lines()) {
            screen.push_str(line);
            screen.push_str("\u{1b}[K\r\n");
        }
        screen.push_str("\u{1b}[J");
        draw(&screen);
        if tokio::time::timeout(DRAW_EVERY, stop.wait()).await.is_ok() {
            return;
        }
    }
}

fn draw(screen: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(screen.as_bytes());
    let _ = out.flush();
}
