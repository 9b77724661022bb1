//! What becomes of findings: new suggestions, those that are seen again, and those that are not seen any more.

use std::{
    collections::{HashMap, HashSet},
    sync::PoisonError,
};

use operations::diagnosis::{SuggestionKind, SuggestionState};
use sha2::{Digest, Sha256};

use super::{
    Diagnosis,
    examine::{Examined, Finding},
    failed,
};
use crate::ops::{OpError, ports::Suggestion};

/// Suggestions that are kept, decided ones included. When there are more, the decided ones that were seen longest ago go, and then
/// offers of new models for what is wrong; what finds no room is left out and counted.
const KEPT: usize = 5000;

impl Diagnosis {
    /// Writes down what was found; says how much was left out for want of room.
    pub(super) async fn settle(&self, examined: &[Examined]) -> Result<u32, OpError> {
        let turn = self.turns.lock().await;
        let now = self.engine.clock().now();
        let before = self.store.all().await.map_err(failed)?;
        let known: HashSet<String> =
            self.engine.snapshot().settings.connections.iter().map(|one| one.id.to_string()).collect();
        let Settled { put, remove, left_out } = settled(before, examined, &known, now);
        if !put.is_empty() || !remove.is_empty() {
            self.store.change(put, remove).await.map_err(failed)?;
        }
        self.vouch(examined);
        drop(turn);
        Ok(left_out)
    }
}

impl Diagnosis {
    /// Remembers which account each change was found for.
    fn vouch(&self, examined: &[Examined]) {
        let mut vouched = self.vouched.lock().unwrap_or_else(PoisonError::into_inner);
        for one in examined {
            vouched.retain(|_, (connection, _)| *connection != one.told.id);
            for finding in one.found.iter().filter(|finding| finding.patch.is_some()) {
                vouched.insert(id(&one.told.id, finding), (one.told.id.clone(), one.account));
            }
        }
        let known = &self.engine.snapshot().settings.connections;
        vouched.retain(|_, (connection, _)| known.iter().any(|one| *one.id == **connection));
    }
}

/// What is to be written.
struct Settled {
    put: Vec<Suggestion>,
    remove: Vec<String>,
    left_out: u32,
}

fn settled(before: Vec<Suggestion>, examined: &[Examined], known: &HashSet<String>, now: i64) -> Settled {
    let mut settled = Settled { put: Vec::new(), remove: Vec::new(), left_out: 0 };
    let by_connection: HashMap<&str, &Examined> =
        examined.iter().map(|one| (one.told.id.as_str(), one)).collect();
    let mut found: HashMap<String, (&str, &Finding)> = HashMap::new();
    for one in examined {
        found.extend(
            one.found.iter().map(|finding| (id(&one.told.id, finding), (one.told.id.as_str(), finding))),
        );
    }
    let mut kept = Vec::new();
    for suggestion in before {
        let again = found.remove(&suggestion.id);
        match again {
            Some((_, finding)) => {
                let seen = seen_again(suggestion, finding, now);
                kept.push(seen.clone());
                settled.put.push(seen);
            }
            None if is_over(
                &suggestion,
                by_connection.get(suggestion.connection.as_str()).copied(),
                known,
            ) =>
            {
                settled.remove.push(suggestion.id);
            }
            None => kept.push(suggestion),
        }
    }
    let mut new: Vec<_> = found.into_iter().collect();
    // What is wrong first, and always in the same order, so that the same ones find room every time.
    new.sort_by(|(one, (_, first)), (other, (_, second))| {
        (is_offer(first.kind), one).cmp(&(is_offer(second.kind), other))
    });
    let urgent = new.iter().filter(|(_, (_, finding))| !is_offer(finding.kind)).count();
    let dropped = dropped(&kept, new.len(), urgent);
    let room = KEPT.saturating_sub(kept.len() - dropped.len());
    settled.put.retain(|one| !dropped.contains(&one.id));
    settled.remove.extend(dropped);
    settled.left_out = u32::try_from(new.len().saturating_sub(room)).unwrap_or(u32::MAX);
    let new = new.into_iter().take(room);
    settled.put.extend(new.map(|(id, (connection, finding))| suggestion(id, connection, finding, now)));
    settled
}

/// Those that make room for so many new ones: decided ones for any, and open offers for what is wrong.
fn dropped(kept: &[Suggestion], new: usize, urgent: usize) -> HashSet<String> {
    let oldest = |wanted: fn(&Suggestion) -> bool, count: usize| -> Vec<String> {
        let mut some: Vec<&Suggestion> = kept.iter().filter(|one| wanted(one)).collect();
        some.sort_by(|one, other| (one.last_at, &one.id).cmp(&(other.last_at, &other.id)));
        some.into_iter().take(count).map(|one| one.id.clone()).collect()
    };
    let decided = oldest(|one| one.state != SuggestionState::Open, (kept.len() + new).saturating_sub(KEPT));
    let lacking = (kept.len() - decided.len() + urgent).saturating_sub(KEPT);
    let offers = oldest(|one| one.state == SuggestionState::Open && is_offer(one.kind), lacking);
    decided.into_iter().chain(offers).collect()
}

/// Whether a suggestion only offers something; the others say that something is not as it is configured.
pub(super) const fn is_offer(kind: SuggestionKind) -> bool {
    matches!(kind, SuggestionKind::ModelNew)
}

/// A suggestion that is seen once more. One that was accepted waits anew: its change was undone, or did not help.
fn seen_again(known: Suggestion, finding: &Finding, now: i64) -> Suggestion {
    let anew = known.state == SuggestionState::Accepted;
    Suggestion {
        seen: finding.seen.clone(),
        patch: finding.patch.clone(),
        times: if anew { 1 } else { known.times.saturating_add(1) },
        first_at: if anew { now } else { known.first_at },
        last_at: now,
        state: if anew { SuggestionState::Open } else { known.state },
        decided_at: known.decided_at.filter(|_| !anew),
        decided_by: known.decided_by.clone().filter(|_| !anew),
        ..known
    }
}

/// Whether a suggestion that was not seen is to be forgotten. What was accepted is kept: it says what was done, and by whom.
fn is_over(suggestion: &Suggestion, examined: Option<&Examined>, known: &HashSet<String>) -> bool {
    if !known.contains(&suggestion.connection) {
        return true;
    }
    let knows = examined.is_some_and(|one| match suggestion.kind.is_of_model() {
        true => one.knows_models,
        false => one.knows_way,
    });
    knows && suggestion.state != SuggestionState::Accepted
}

fn suggestion(id: String, connection: &str, finding: &Finding, now: i64) -> Suggestion {
    Suggestion {
        id,
        connection: connection.to_owned(),
        kind: finding.kind,
        model: finding.model.clone(),
        patch: finding.patch.clone(),
        seen: finding.seen.clone(),
        times: 1,
        first_at: now,
        last_at: now,
        state: SuggestionState::Open,
        decided_at: None,
        decided_by: None,
    }
}

/// The id of a suggestion: the same for the same one. Every part is led by its length, so that no two read the same.
pub(super) fn id(connection: &str, finding: &Finding) -> String {
    let patch = finding.patch.as_ref().map(|patch| serde_json::to_string(patch).unwrap_or_default());
    let parts = [
        connection,
        finding.kind.as_str(),
        finding.model.as_deref().unwrap_or_default(),
        patch.as_deref().unwrap_or_default(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("sug_{hex}")
}

/// The models that were hidden for being gone, by connection.
pub(super) fn retired(all: &[Suggestion]) -> HashSet<(String, String)> {
    let gone = all
        .iter()
        .filter(|one| one.kind == SuggestionKind::ModelGone && one.state == SuggestionState::Accepted);
    gone.filter_map(|one| Some((one.connection.clone(), one.model.clone()?))).collect()
}

#[cfg(test)]
mod tests {
    use operations::diagnosis::ConnectionDiagnosed;

    use super::*;

    fn finding(kind: SuggestionKind, model: &str) -> Finding {
        Finding { kind, model: Some(model.to_owned()), patch: None, seen: "so".to_owned() }
    }

    fn examined(connection: &str, found: Vec<Finding>) -> Examined {
        let told = ConnectionDiagnosed { id: connection.to_owned(), ..ConnectionDiagnosed::default() };
        Examined { told, account: 0, found, knows_models: true, knows_way: true }
    }

    fn known() -> HashSet<String> {
        ["a".to_owned()].into()
    }

    fn made(state: SuggestionState, kind: SuggestionKind, model: &str) -> Suggestion {
        let finding = finding(kind, model);
        Suggestion { state, ..suggestion(id("a", &finding), "a", &finding, 5) }
    }

    #[test]
    fn what_is_seen_again_is_counted_and_what_is_not_is_forgotten() {
        let before = vec![
            made(SuggestionState::Open, SuggestionKind::ModelGone, "one"),
            made(SuggestionState::Dismissed, SuggestionKind::ModelGone, "two"),
            made(SuggestionState::Open, SuggestionKind::ModelGone, "three"),
            made(SuggestionState::Accepted, SuggestionKind::ModelGone, "four"),
        ];
        let seen = vec![finding(SuggestionKind::ModelGone, "one"), finding(SuggestionKind::ModelGone, "two")];
        let done = settled(before.clone(), &[examined("a", seen)], &known(), 9);
        let told: Vec<_> = done.put.iter().map(|one| (one.model.as_deref(), one.times, one.state)).collect();
        let wanted = [(Some("one"), 2, SuggestionState::Open), (Some("two"), 2, SuggestionState::Dismissed)];
        assert_eq!(told, wanted);
        assert_eq!(done.remove, [before[2].id.clone()], "what was accepted is remembered");
        let away = Examined { knows_models: false, ..examined("a", Vec::new()) };
        assert!(settled(before.clone(), &[away], &known(), 9).remove.is_empty(), "nothing is known");
        assert!(settled(before.clone(), &[], &known(), 9).remove.is_empty(), "nobody was asked");
        assert_eq!(settled(before, &[], &HashSet::new(), 9).remove.len(), 4, "the connection is gone");
    }

    #[test]
    fn what_was_accepted_and_comes_again_waits_anew() {
        let before = vec![made(SuggestionState::Accepted, SuggestionKind::ModelNew, "m")];
        let seen = vec![finding(SuggestionKind::ModelNew, "m")];
        let done = settled(before, &[examined("a", seen)], &known(), 9);
        assert_eq!(
            (done.put[0].state, done.put[0].times, done.put[0].first_at),
            (SuggestionState::Open, 1, 9)
        );
    }

    #[test]
    fn there_is_a_bound_and_what_is_decided_goes_first() {
        let mut before: Vec<_> = (0..KEPT - 1)
            .map(|nth| made(SuggestionState::Open, SuggestionKind::ModelNew, &nth.to_string()))
            .collect();
        before.push(made(SuggestionState::Accepted, SuggestionKind::ModelGone, "old"));
        let old = before[KEPT - 1].id.clone();
        let away = |found| Examined { knows_models: false, ..examined("a", found) };
        let new = |model| finding(SuggestionKind::ModelNew, model);
        let done = settled(before, &[away(vec![new("x"), new("y")])], &known(), 9);
        assert_eq!((done.put.len(), done.remove, done.left_out), (1, vec![old], 1));
    }

    #[test]
    fn offers_do_not_crowd_out_what_is_wrong() {
        let before: Vec<_> = (0..KEPT)
            .map(|nth| made(SuggestionState::Open, SuggestionKind::ModelNew, &nth.to_string()))
            .collect();
        let away = |found| Examined { knows_models: false, ..examined("a", found) };
        let found = vec![finding(SuggestionKind::ModelNew, "x"), finding(SuggestionKind::ModelGone, "y")];
        let done = settled(before, &[away(found)], &known(), 9);
        assert_eq!((done.put.len(), done.remove.len(), done.left_out), (1, 1, 1));
        assert_eq!(done.put[0].kind, SuggestionKind::ModelGone);
        // The same where all are new.
        let mut found: Vec<_> =
            (0..KEPT * 2).map(|nth| finding(SuggestionKind::ModelNew, &nth.to_string())).collect();
        found.push(finding(SuggestionKind::ModelGone, "y"));
        let done = settled(Vec::new(), &[examined("a", found)], &known(), 9);
        assert!(done.put.len() == KEPT && done.put.iter().any(|one| one.kind == SuggestionKind::ModelGone));
    }

    #[test]
    fn ids_tell_suggestions_apart() {
        let one = id("a", &finding(SuggestionKind::ModelNew, "m"));
        assert_eq!(
            one,
            id("a", &Finding { seen: "else".to_owned(), ..finding(SuggestionKind::ModelNew, "m") })
        );
        assert_ne!(one, id("am", &finding(SuggestionKind::ModelNew, "")));
        assert_ne!(one, id("a", &finding(SuggestionKind::ModelGone, "m")));
    }
}
