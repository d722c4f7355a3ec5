//! Commands: in scripts, in files that carry them, and in objects.

use super::objects::{holder, site};
use super::{FILE, Facts, Key, at};
use crate::actors::commands;
use crate::actors::offence::Kind;
use agenttrader_policy::found::{Effect, Order, Said};
use agenttrader_policy::judged::Form;
use agenttrader_policy::placing::NAMES;
use agenttrader_policy::world::World;

/// Adds them.
pub fn read(world: &World<'_>, facts: &mut Facts) {
    for text in &world.texts {
        // What builds an image or runs on one machine starts its own; it moves what can place orders by name alone.
        let built = matches!(text.form, Some(Form::Dockerfile | Form::Compose));
        let (site, holder) = match &text.place.object {
            Some(object) => (site(object), holder(object)),
            None => (text.place.path.clone(), FILE.to_owned()),
        };
        for order in &text.found.orders {
            let Some((kind, what)) = does(order) else { continue };
            if built && kind == Kind::Deploy && !order.names.iter().any(|name| NAMES.contains(&name.as_str())) {
                continue;
            }
            let name = format!("{what}: {}", order.command);
            let key = Key { site: site.clone(), holder: holder.clone(), subject: name.clone() };
            facts.command(key, kind, &name, at(&text.at(order.line)));
        }
    }
    for file in world.files {
        for command in commands::find(&String::from_utf8_lossy(file.bytes)) {
            let subject = format!("a command for people: {}", command.words);
            let key = Key { site: file.path.to_owned(), holder: FILE.to_owned(), subject: subject.clone() };
            facts.command(key, command.kind, &subject, (file.path.to_owned(), Some(command.line)));
        }
    }
}

/// What an order is; nothing where it halts.
fn does(order: &Order) -> Option<(Kind, &'static str)> {
    Some(match &order.effect {
        Effect::Scale(_) => (Kind::Scale, "a command that scales"),
        Effect::Start => (Kind::Deploy, "a command that starts"),
        Effect::Patch => (Kind::Deploy, "a command that changes workloads"),
        Effect::Apply => (Kind::Deploy, "a command that applies"),
        Effect::WriteSwitch(Said::Known(text)) if text.trim_end_matches('\n') == "1" => return None,
        Effect::WriteSwitch(_) => (Kind::KillSwitch, "a command that writes the kill switch"),
        Effect::RemoveLatch => (Kind::KillSwitch, "a command that takes the kill switch's latch away"),
    })
}
