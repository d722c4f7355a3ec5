//! What one tree says that another does not: the hunks, by their meaning.
//!
//! A file that is renamed says the same elsewhere, and so changes nothing; an anchor, a patch or an overlay that makes a value another one
//! does, though no line of that value is touched.

use crate::actors::facts::{Class, FILE, Fact, Facts, Key, RENDERED};
use crate::actors::offence::Kind;
use agenttrader_policy::finding::Rule;
use std::collections::BTreeSet;

/// A difference that is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hunk {
    /// Which kind.
    pub kind: Kind,
    /// What, wherever it stands: the same hunk of two comparisons says the same here.
    pub meaning: String,
    /// For people.
    pub what: String,
    /// The file.
    pub path: String,
    /// The line.
    pub line: Option<u32>,
    /// Whether file and line are the base's: what stood there is gone.
    pub is_gone: bool,
    /// Whether a rule of the lock says it.
    is_rule: bool,
}

/// What a tree says anew against each of several others: what one of them says already is nobody's change.
pub fn against_each(bases: &[&Facts], head: &Facts) -> Vec<Hunk> {
    let mut all = bases.iter().map(|base| differences(base, head));
    let mut found = all.next().unwrap_or_default();
    for other in all {
        let known: BTreeSet<&str> = other.iter().map(|hunk| hunk.meaning.as_str()).collect();
        found.retain(|hunk| known.contains(hunk.meaning.as_str()));
    }
    once(found)
}

/// Says the same of the same place once: a rendered object repeats what its file says, and a rule of the lock what a fact said.
fn once(mut found: Vec<Hunk>) -> Vec<Hunk> {
    found.sort_by(|one, other| (one.is_rule, one).cmp(&(other.is_rule, other)));
    let (mut said, mut places) = (BTreeSet::new(), BTreeSet::new());
    found.retain(|hunk| {
        let place = (hunk.kind, hunk.path.clone(), hunk.line);
        let is_new = said.insert((place.clone(), hunk.what.clone())) && !(hunk.is_rule && places.contains(&place));
        places.insert(place);
        is_new
    });
    found.sort_by(|one, other| (&one.path, one.line, one).cmp(&(&other.path, other.line, other)));
    found
}

/// What a tree says that another does not.
fn differences(base: &Facts, head: &Facts) -> Vec<Hunk> {
    let both = Both { base, head };
    let mut found = Vec::new();
    // What was moved away stands for what came: each once.
    let mut lost: Vec<(&Key, &Fact)> = base.facts.iter().filter(|(key, _)| !head.facts.contains_key(*key)).collect();
    for (key, fact) in &head.facts {
        match base.facts.get(key) {
            Some(old) => found.extend(both.changed(key, old, fact)),
            None => {
                let moved = |(other, old): &(&Key, &Fact)| {
                    // A command in a file that was there before is run by whoever runs that file.
                    let stays = fact.class == Class::Command && base.has_site(&key.site);
                    let alike = other.site.starts_with(RENDERED) == key.site.starts_with(RENDERED);
                    let same = other.holder == key.holder && other.subject == key.subject && old.values == fact.values;
                    same && alike && !stays
                };
                match lost.iter().position(moved) {
                    Some(at) => drop(lost.swap_remove(at)),
                    None => found.extend(both.came(key, fact)),
                }
            }
        }
    }
    found.extend(lost.into_iter().filter_map(|(key, fact)| both.went(key, fact)));
    both.placing(&mut found);
    both.failing(&mut found);
    found
}

struct Both<'f> {
    base: &'f Facts,
    head: &'f Facts,
}

impl Both<'_> {
    /// Whether a fact is one that counts.
    fn counts(&self, key: &Key, fact: &Fact) -> bool {
        fact.class != Class::OfOrders
            || self.base.placing.contains_key(&key.holder)
            || self.head.placing.contains_key(&key.holder)
    }

    fn changed(&self, key: &Key, old: &Fact, new: &Fact) -> Option<Hunk> {
        let is_same = match new.class {
            Class::Command => new.times() <= old.times(),
            _ => new.values == old.values,
        };
        if is_same || !self.counts(key, new) {
            return None;
        }
        let what = match new.class {
            Class::Command => format!("{} stands there more often than before", new.name),
            _ => format!("{} is {}, and was {}", new.name, new.said(), old.said()),
        };
        Some(hunk(key, new, what, false))
    }

    /// A fact where there was none.
    fn came(&self, key: &Key, fact: &Fact) -> Option<Hunk> {
        if !self.counts(key, fact) {
            return None;
        }
        let elsewhere: Vec<&Fact> = self
            .base
            .facts
            .iter()
            .filter(|(other, _)| other.holder == key.holder && other.subject == key.subject)
            .map(|(_, fact)| fact)
            .collect();
        if fact.class == Class::Command {
            // Rendered once more is no second command; written once more is.
            let is_rendered = key.holder != FILE && !elsewhere.is_empty();
            return (!is_rendered).then(|| hunk(key, fact, fact.name.clone(), false));
        }
        if let Some(other) = elsewhere.iter().find(|other| other.values != fact.values) {
            let what = format!("{} is {}, and is {} elsewhere", fact.name, fact.said(), other.said());
            return Some(hunk(key, fact, what, false));
        }
        let is_new = match key.holder.as_str() {
            FILE => !self.base.has_site(&key.site),
            holder => !self.base.holds(holder),
        };
        let allowed = match fact.class {
            Class::Setting => fact.harmless && is_new,
            Class::Halting => fact.harmless,
            // What can place orders and is new is told as such.
            Class::OfOrders => true,
            Class::Fixed | Class::Command => false,
        };
        if !elsewhere.is_empty() || allowed && !self.takes_over(key, fact) {
            return None;
        }
        Some(hunk(key, fact, format!("{} is {}, and was not set here", fact.name, fact.said()), false))
    }

    /// Whether a workload comes while one of its kind, with another value, goes: it has only another name.
    fn takes_over(&self, key: &Key, fact: &Fact) -> bool {
        let kind = |holder: &str| holder.split('/').next().unwrap_or_default().to_owned();
        if fact.class != Class::Setting || key.holder == FILE {
            return false;
        }
        let gone: Vec<&Fact> = self
            .base
            .facts
            .iter()
            .filter(|(other, old)| {
                old.name == fact.name
                    && old.class == Class::Setting
                    && kind(&other.holder) == kind(&key.holder)
                    && self.base.holds(&other.holder)
                    && !self.head.holds(&other.holder)
            })
            .map(|(_, fact)| fact)
            .collect();
        !gone.is_empty() && gone.iter().all(|old| old.values != fact.values)
    }

    /// A fact that is gone, and stands nowhere else instead.
    fn went(&self, key: &Key, fact: &Fact) -> Option<Hunk> {
        if fact.class == Class::Command || !self.counts(key, fact) {
            return None;
        }
        let holder = |facts: &Facts, site: &str| facts.holders.contains(&(site.to_owned(), key.holder.clone()));
        let stays = holder(self.head, &key.site);
        // Its holder went elsewhere, without it.
        let bare = self.head.holders.iter().any(|(site, own)| {
            let there = Key { site: site.clone(), ..key.clone() };
            *own == key.holder
                && key.holder != FILE
                && !holder(self.base, site)
                && !self.head.facts.contains_key(&there)
        });
        let whole = fact.class == Class::Fixed && (self.head.has_site(&key.site) || !self.head.holds(&key.holder));
        if !(stays || bare || whole) {
            return None;
        }
        Some(hunk(key, fact, format!("{} is gone; it was {}", fact.name, fact.said()), true))
    }

    /// What can place orders and could not, or can by one more way.
    fn placing(&self, found: &mut Vec<Hunk>) {
        for (holder, ways) in &self.head.placing {
            let known = self.base.placing.get(holder);
            for (why, at) in ways.iter().filter(|(why, _)| !known.is_some_and(|known| known.contains_key(*why))) {
                let what = match known {
                    None => format!("{holder} can place orders, and could not before: {why}"),
                    Some(_) => format!("{holder} can place orders by one way more: {why}"),
                };
                let meaning = format!("placing\0{holder}\0{why}");
                found.push(Hunk {
                    kind: Kind::Scale,
                    meaning,
                    what,
                    path: at.0.clone(),
                    line: at.1,
                    is_gone: false,
                    is_rule: false,
                });
            }
        }
    }

    /// What fails of the rules of the lock and did not.
    fn failing(&self, found: &mut Vec<Hunk>) {
        for (meaning, findings) in &self.head.failures {
            let before = self.base.failures.get(meaning).map_or(0, Vec::len);
            for finding in findings.iter().skip(before) {
                let kind = match finding.rule {
                    Rule::NoExecute => Kind::AgentMode,
                    Rule::KillSwitch | Rule::SwitchRead => Kind::KillSwitch,
                    Rule::ExecScale => Kind::Scale,
                    _ => Kind::Unreadable,
                };
                let what = format!("{} (rule {})", finding.message, finding.rule.id());
                let path = finding.path.clone();
                found.push(Hunk {
                    kind,
                    meaning: meaning.clone(),
                    what,
                    path,
                    line: finding.line,
                    is_gone: false,
                    is_rule: true,
                });
            }
        }
    }
}

fn hunk(key: &Key, fact: &Fact, what: String, is_gone: bool) -> Hunk {
    let whose = if key.holder == FILE { String::new() } else { format!("{}: ", key.holder) };
    let value = if is_gone { "gone".to_owned() } else { fact.said() };
    let meaning = format!("{}\0{}\0{}\0{value}", key.site, key.holder, key.subject);
    let (path, line) = fact.at.clone();
    Hunk { kind: fact.kind, meaning, what: format!("{whose}{what}"), path, line, is_gone, is_rule: false }
}
