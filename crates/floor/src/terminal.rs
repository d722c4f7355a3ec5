//! The terminal: a calm summary that is drawn anew each second, or one line a record where there is no terminal.

use crate::plain::plain;
use crate::summary::{Layout, MissionControl, Style, wrapped};
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::record::Record;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between two drawings.
const DRAW_EVERY: Duration = Duration::from_secs(1);

/// Longest wait for a terminal to take a picture.
const DRAW_WITHIN: Duration = Duration::from_millis(100);

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
            let (agent, what) = (&record.agent_name, record.intent_type.as_str());
            plain(&format!("{time} {agent:<22} {what:<22} {}{error}", record.intent_summary))
        }
    };
    say(&text);
}

/// Says how many records were not shown, beside the records: those may be data that somebody parses.
pub fn not_shown(count: u64) {
    let _ = writeln!(std::io::stderr().lock(), "{count} records not shown");
}

/// The terminal, drawn on from threads that may block: it may be stopped, or nobody may read it.
#[derive(Default)]
struct Canvas {
    under_way: Option<JoinHandle<()>>,
}

impl Canvas {
    /// Draws, and waits a moment until it is drawn. While an earlier picture is stuck, later ones are left out. Whether it is drawn.
    async fn draw(&mut self, picture: impl FnOnce() + Send + 'static) -> bool {
        if !self.is_free().await {
            return false;
        }
        self.under_way = Some(tokio::task::spawn_blocking(picture));
        self.is_free().await
    }

    /// Whether nothing is under way, within a moment.
    async fn is_free(&mut self) -> bool {
        if let Some(earlier) = &mut self.under_way {
            if tokio::time::timeout(DRAW_WITHIN, earlier).await.is_err() {
                return false;
            }
            self.under_way = None;
        }
        true
    }
}

/// Draws the summary each second until a stop is asked for, and leaves the last picture. `foot` stands below it.
pub async fn live(mission_control: MissionControl, foot: watch::Receiver<String>, style: Style, mut stop: Stop) {
    let mut canvas = Canvas::default();
    // Clears what is there once; later each line is cleared to its end, so that nothing flickers. The cursor hides meanwhile.
    canvas.draw(|| draw("\u{1b}[?25l\u{1b}[2J")).await;
    loop {
        let summary = tokio::select! {
            summary = mission_control.summary() => summary,
            () = stop.wait() => break,
        };
        let (width, rows) = size();
        let foot = foot.borrow().lines().flat_map(|line| wrapped(&plain(line), width, 0)).collect::<Vec<_>>();
        // One row between the two, and one below for the cursor.
        let rows_of_body = rows.saturating_sub(foot.len().saturating_add(2));
        let layout = Layout { style, width: Some(width), rows: Some(rows_of_body) };
        let body = match summary {
            Ok(summary) => summary.render(&layout),
            Err(error) => wrapped(&plain(&error.to_string()), width, 0).join("\n"),
        };
        let picture = picture(&body, &foot, rows);
        canvas.draw(move || draw(&picture)).await;
        if tokio::time::timeout(DRAW_EVERY, stop.wait()).await.is_ok() {
            break;
        }
    }
    // The last picture stays. What the terminal echoed of Ctrl-C goes.
    canvas.draw(|| draw("\r\u{1b}[K\u{1b}[?25h")).await;
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

    #[tokio::test]
    async fn a_terminal_that_takes_nothing_holds_up_no_picture_after_it() {
        let mut canvas = Canvas::default();
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        assert!(!canvas.draw(move || held.recv().unwrap_or_default()).await);
        assert!(!canvas.draw(|| panic!("a picture is stuck before this one")).await);
        drop(let_go);
        while !canvas.is_free().await {}
        let (drew, drawn) = std::sync::mpsc::channel::<()>();
        canvas.draw(move || drew.send(()).unwrap_or_default()).await;
        assert!(tokio::task::spawn_blocking(move || drawn.recv()).await.unwrap().is_ok());
    }

    #[test]
    fn a_picture_is_never_higher_than_the_terminal() {
        let foot = ["foot".to_owned()];
        let body = "line\n".repeat(100);
        assert_eq!(picture(&body, &foot, 24).matches("\r\n").count(), 23);
        assert_eq!(picture("one\ntwo\n", &foot, 24).matches("\r\n").count(), 4);
        assert_eq!(picture(&body, &foot, 0).matches("\r\n").count(), 0);
    }
}
