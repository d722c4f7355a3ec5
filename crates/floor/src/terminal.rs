//! The terminal: a calm summary that is drawn anew each second, or one line a record where there is no terminal.

use crate::summary::{Layout, MissionControl, Style, wrapped};
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::record::Record;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;
use tokio::sync::watch;

/// Between two drawings.
const DRAW_EVERY: Duration = Duration::from_secs(1);

/// Taken for a terminal that does not tell its size: columns and rows.
const USUAL_SIZE: (usize, usize) = (80, 24);

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

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    terminal_size::terminal_size().map_or(USUAL_SIZE, |(width, height)| (width.0.into(), height.0.into()))
}

/// How a summary is laid out here: as wide as the terminal, as wide as it is elsewhere.
pub fn layout(style: Style) -> Layout {
    Layout { style, width: is_terminal().then(|| size().0), rows: None }
}

/// Writes a line to standard output; a reader that went away is no failure of ours.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
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

/// Hides the cursor while it lives.
struct Hidden;

impl Hidden {
    fn begin() -> Self {
        // Clears what is there once; later each line is cleared to its end, so that nothing flickers.
        draw("\u{1b}[?25l\u{1b}[2J");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The last picture stays. What the terminal echoed of Ctrl-C goes.
        draw("\r\u{1b}[K\u{1b}[?25h");
    }
}

/// Draws the summary each second until a stop is asked for, and leaves the last picture. `foot` stands below it.
pub async fn live(mission_control: MissionControl, foot: watch::Receiver<String>, style: Style, mut stop: Stop) {
    let _hidden = Hidden::begin();
    loop {
        let (width, rows) = size();
        let foot = foot.borrow().lines().flat_map(|line| wrapped(line, width, 0)).collect::<Vec<_>>();
        // One row between the two, and one below for the cursor.
        let rows_of_body = rows.saturating_sub(foot.len().saturating_add(2));
        let layout = Layout { style, width: Some(width), rows: Some(rows_of_body) };
        let body = match mission_control.summary().await {
            Ok(summary) => summary.render(&layout),
            Err(error) => wrapped(&error.to_string(), width, 0).join("\n"),
        };
        draw(&picture(&body, &foot, rows));
        if tokio::time::timeout(DRAW_EVERY, stop.wait()).await.is_ok() {
            return;
        }
    }
}

/// Body, an empty row and foot, from the top left, never so high that the terminal would scroll.
fn picture(body: &str, foot: &[String], rows: usize) -> String {
    let mut screen = String::from("\u{1b}[H");
    let lines = body.lines().chain([""]).chain(foot.iter().map(String::as_str));
    for line in lines.take(rows.saturating_sub(1)) {
        let _ = write!(screen, "{line}\u{1b}[0m\u{1b}[K\r\n");
    }
    screen.push_str("\u{1b}[J");
    screen
}

fn draw(screen: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(screen.as_bytes());
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_never_higher_than_the_terminal() {
        let foot = ["foot".to_owned()];
        let body = "line\n".repeat(100);
        assert_eq!(picture(&body, &foot, 24).matches("\r\n").count(), 23);
        assert_eq!(picture("one\ntwo\n", &foot, 24).matches("\r\n").count(), 4);
        assert_eq!(picture(&body, &foot, 0).matches("\r\n").count(), 0);
    }
}
