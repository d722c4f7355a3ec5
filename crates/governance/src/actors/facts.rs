//! What a tree says of the things that an agent may not change, by the readers of the manifest policy.
//!
//! A fact has a *site* (the file, or the kustomization that renders it), a *holder* (an object by kind, namespace and name, or a file that
//! is no object) and a *subject* inside that. Its value is what it comes to after references, anchors, patches and overlays.

mod objects;
mod pods;
mod texts;

use crate::actors::offence::Kind;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use agenttrader_policy::judged::form_anywhere;
use agenttrader_policy::place::Place;
use agenttrader_policy::sources::Sources;
use agenttrader_policy::tree::Tree;
use agenttrader_policy::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// The holder of what stands in a file that is no object.
pub const FILE: &str = "file";

/// What the site of a rendered object begins with, before the kustomization.
pub const RENDERED: &str = "what is rendered by ";

/// The rules whose failures are of the kinds that are refused.
const RULES: [Rule; 6] =
    [Rule::NoExecute, Rule::KillSwitch, Rule::SwitchRead, Rule::ExecScale, Rule::Parse, Rule::Unresolved];

/// How a fact may come, go and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A setting: it may come with a new holder if it is harmless, and go with its holder.
    Setting,
    /// Like a setting, and harmless wherever it comes: what halts.
    Halting,
    /// What stays as long as its site does.
    Fixed,
    /// What counts of workloads that can place orders alone.
    OfOrders,
    /// A command: it may go, and its value is how often it stands there.
    Command,
}

/// Where a fact stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The file, or the kustomization that renders it.
    pub site: String,
    /// The object, or [`FILE`].
    pub holder: String,
    /// What in it.
    pub subject: String,
}

/// What is said there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Which kind of change it would be.
    pub kind: Kind,
    /// How it may change.
    pub class: Class,
    /// What people call it.
    pub name: String,
    /// Everything it may be.
    pub values: BTreeSet<String>,
    /// Whether it does nothing by being there.
    pub harmless: bool,
    /// The file and line.
    pub at: (String, Option<u32>),
}

/// Everything a tree says.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The facts.
    pub facts: BTreeMap<Key, Fact>,
    /// Which holders stand at which site, changes to other objects left out.
    pub holders: BTreeSet<(String, String)>,
    /// Workloads that can place orders, why, and where that stands.
    pub placing: BTreeMap<String, BTreeMap<String, (String, Option<u32>)>>,
    /// What fails of the rules that matter here, by what it is and not by where it stands.
    pub failures: BTreeMap<String, Vec<Finding>>,
}

impl Facts {
    /// Reads a tree.
    pub fn read(tree: &Tree) -> Self {
        let sources = Sources::read_as(tree, form_anywhere);
        let world = World::new(tree, &sources);
        let mut facts = Self::default();
        for (path, _) in tree.iter() {
            facts.holders.insert((path.to_owned(), FILE.to_owned()));
        }
        objects::read(&world, &mut facts);
        pods::read(&world, &mut facts);
        texts::read(&world, &mut facts);
        let failing = agenttrader_policy::judge_world(&world, Some(&RULES));
        for finding in failing.into_iter().filter(|finding| finding.verdict == Verdict::Fail) {
            facts.failures.entry(meaning(&finding)).or_default().push(finding);
        }
        facts
    }

    /// Whether a holder stands anywhere.
    pub fn holds(&self, holder: &str) -> bool {
        self.holders.iter().any(|(_, own)| own == holder)
    }

    /// Whether anything stands at a site.
    pub fn has_site(&self, site: &str) -> bool {
        self.holders.iter().any(|(own, _)| own == site)
    }

    /// Notes a fact; of one place the values gather.
    fn note(&mut self, key: Key, fact: Fact) {
        match self.facts.get_mut(&key) {
            Some(known) => {
                known.harmless &= fact.harmless;
                known.values.extend(fact.values);
            }
            None => {
                self.facts.insert(key, fact);
            }
        }
    }

    /// Notes that a command stands somewhere, once more.
    fn command(&mut self, key: Key, kind: Kind, name: &str, at: (String, Option<u32>)) {
        let known = self.facts.get(&key).and_then(Fact::times).unwrap_or(0);
        let values = BTreeSet::from([known.saturating_add(1).to_string()]);
        let name = name.to_owned();
        self.facts.insert(key, Fact { kind, class: Class::Command, name, values, harmless: false, at });
    }
}

impl Fact {
    /// How often a command stands there.
    pub fn times(&self) -> Option<u64> {
        self.values.iter().next().and_then(|text| text.parse().ok())
    }

    /// Its values, for people.
    pub fn said(&self) -> String {
        let all: Vec<_> = self.values.iter().map(|value| format!("`{value}`")).collect();
        all.join(" or ")
    }
}

/// What a finding says, wherever it stands: without path and line, positions in lists, and who rendered it.
fn meaning(finding: &Finding) -> String {
    let message = finding.message.split(" (as ").next().unwrap_or_default();
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let path = if matches!(finding.rule, Rule::Parse | Rule::Unresolved) { finding.path.as_str() } else { "" };
    let field = without_positions(&part(&finding.field));
    format!("{}\0{path}\0{}\0{field}\0{}\0{message}", finding.rule.id(), part(&finding.object), part(&finding.value))
}

/// A field without the numbers of its places in lists.
fn without_positions(field: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for letter in field.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside && letter.is_ascii_digit() => {}
            _ => plain.push(letter),
        }
    }
    plain
}

fn at(place: &Place<'_>) -> (String, Option<u32>) {
    (place.path.clone(), place.line)
}
