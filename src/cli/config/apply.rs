//! `trivium config plan` and `apply`: makes over the API what a file wishes for. The whole is checked first; then each definition is put
//! by its own operation, with its own entry in the audit log, in an order in which each step is valid.

use std::{
    cell::Cell,
    io::{BufRead, IsTerminal, stdin},
    process::ExitCode,
};

use operations::documents::Owner;
use serde_json::json;

use super::{
    made::{Made, all, known},
    plan::{Choices, Plan, Step, What},
};
use crate::{
    cli::{
        Common, configure, loader,
        output::{fail, note, problems, say},
        place::{Place, at_place},
    },
    config::{Managed, SETTINGS, Source, Wishes},
};

/// What is different when something is.
const DIFFERENT: u8 = 2;

/// Shows what `apply` would do. The exit status is 2 when it would do something.
pub(super) fn plan(source: &Source, choices: Choices, common: &Common) -> ExitCode {
    let wishes = match read(source, common) {
        Ok(wishes) => wishes,
        Err(code) => return code,
    };
    let mut differs = false;
    let code = at_place(common, async |place| {
        let made = all(place).await?;
        let plan = Plan::new(&wishes, &made, choices);
        show(&plan, choices);
        check(&plan, &made, common)?;
        differs = !plan.steps.is_empty();
        Ok(())
    });
    if differs { ExitCode::from(DIFFERENT) } else { code }
}

/// Does it.
pub(super) fn apply(source: &Source, choices: Choices, yes: bool, common: &Common) -> ExitCode {
    let wishes = match read(source, common) {
        Ok(wishes) => wishes,
        Err(code) => return code,
    };
    at_place(common, async |place| {
        let made = all(place).await?;
        let plan = Plan::new(&wishes, &made, choices);
        show(&plan, choices);
        check(&plan, &made, common)?;
        if plan.steps.is_empty() {
            return Ok(());
        }
        if !yes {
            confirm()?;
        }
        let count = plan.steps.len();
        execute(place, plan.steps, &|_| {}).await?;
        say(&format!("Applied: {count} changes, in force now."));
        Ok(())
    })
}

/// Brings the hub to what is wished for, and tells each step when it is done; `try_only` says what would be done. Settings
/// that the hub's own file declares stay as they are.
pub(in crate::cli) async fn bring(
    place: &Place,
    wishes: &mut Wishes,
    try_only: bool,
    common: &Common,
) -> Result<(), String> {
    let made = all(place).await?;
    leave_settings(wishes, &made);
    let plan = Plan::new(wishes, &made, Choices { prune: false, secrets: false });
    check(&plan, &made, common)?;
    let count = plan.steps.len();
    if count == 0 {
        say("Unchanged: the hub has all of it.");
        return Ok(());
    }
    if try_only {
        plan.lines().iter().for_each(|line| say(line));
        say(&format!("{count} changes. Nothing was changed: leave out --dry-run to make them."));
        return Ok(());
    }
    let done = Cell::new(0);
    let tell = |line: &str| {
        done.set(done.get() + 1);
        note(&format!("{} of {count}: {line}", done.get()));
    };
    execute(place, plan.steps, &tell).await?;
    say(&format!("Imported: {count} changes, in force now."));
    Ok(())
}

/// Takes settings out of the wishes that the hub's file, its environment or a flag declares.
fn leave_settings(wishes: &mut Wishes, made: &[Made]) {
    wishes.wishes.retain(|wish| {
        let there = made.iter().find(|one| one.is(&wish.section, &wish.id));
        let Some(there) = there.filter(|one| &*wish.section == SETTINGS && one.view.owner == Owner::File)
        else {
            return true;
        };
        if there.view.definition != wish.definition {
            let place = there.view.place.as_deref().unwrap_or("the hub's configuration file");
            note(&format!("left as it is: `{}`, which is set in {place}", wish.id));
        }
        false
    });
}

fn read(source: &Source, common: &Common) -> Result<Wishes, ExitCode> {
    let (loader, _) = loader(common, None)?;
    let wishes = match loader.wishes(source) {
        Ok(wishes) => wishes,
        Err(found) => {
            problems(&found);
            return Err(fail("the file cannot be applied. Nothing was changed"));
        }
    };
    if !wishes.fixed.is_empty() {
        let names = wishes.fixed.join(", ");
        note(&format!(
            "Not applied, because it is fixed when a hub starts: {names}. Set it where the hub is started."
        ));
    }
    Ok(wishes)
}

fn show(plan: &Plan, choices: Choices) {
    if plan.steps.is_empty() && plan.blocked.is_empty() {
        say("Nothing differs.");
    }
    plan.lines().iter().for_each(|line| say(line));
    if plan.unnamed > 0 && !choices.prune {
        note(&format!(
            "{} more were made over the API and are not in the file; --prune deletes them.",
            plan.unnamed
        ));
    }
}

/// Whether everything together is valid, as far as can be seen from here: the hub's own file, and behind it what there would be.
fn check(plan: &Plan, made: &[Made], common: &Common) -> Result<(), String> {
    if !plan.blocked.is_empty() {
        return Err(format!("{}. Nothing was changed", plan.blocked.join("; ")));
    }
    let Ok(configured) = configure(common, None) else { return Ok(()) };
    let before: Vec<Managed> = made.iter().filter(|one| one.view.owner == Owner::Api).map(managed).collect();
    let mut after = before.clone();
    for step in &plan.steps {
        after.retain(|one| &*one.section != step.noun.section || *one.id != *step.id);
        if let What::Create(definition) | What::Change(definition, _) = &step.what {
            let (section, id) = (step.noun.section.into(), step.id.as_str().into());
            after.push(Managed { section, id, definition: definition.clone() });
        }
    }
    let wrong = |managed: &[Managed]| {
        let loaded = configured.loader.load_setting_aside(&configured.source, managed);
        loaded.map_or_else(|_| Vec::new(), |loaded| loaded.set_aside)
    };
    // What was out of force before may stay so. Masked secrets can look wrong from here, and did so before, too.
    let known = wrong(&before);
    let new: Vec<String> = wrong(&after)
        .into_iter()
        .filter(|one| !known.iter().any(|old| old.section == one.section && old.id == one.id))
        .map(|one| format!("`{}` of {}: {}", one.id, one.section, one.reason))
        .collect();
    if new.is_empty() {
        Ok(())
    } else {
        Err(format!("the configuration would not be valid. Nothing was changed\n  {}", new.join("\n  ")))
    }
}

fn managed(one: &Made) -> Managed {
    let (section, id) = (one.noun.section.into(), one.view.id.as_str().into());
    Managed { section, id, definition: one.view.definition.clone() }
}

fn confirm() -> Result<(), String> {
    if !stdin().is_terminal() {
        return Err("say --yes to apply this without being asked. Nothing was changed".to_owned());
    }
    note("Apply this? [y/N]");
    let mut line = String::new();
    stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    if matches!(line.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err("nothing was changed".to_owned()) }
}

/// Puts first, then deletes. What needs another one that is not there yet waits for the next round.
async fn execute(place: &Place, steps: Vec<Step>, tell: &dyn Fn(&str)) -> Result<(), String> {
    let (deletes, puts): (Vec<Step>, Vec<Step>) =
        steps.into_iter().partition(|step| matches!(step.what, What::Delete));
    let mut done = Vec::new();
    for mut waiting in [puts, deletes] {
        while !waiting.is_empty() {
            let (count, mut refused) = (waiting.len(), Vec::new());
            let mut reasons = Vec::new();
            for step in waiting {
                match one(place, &step).await {
                    Ok(()) => {
                        let line = format!("{} `{}`", step.noun.one, step.id);
                        tell(&line);
                        done.push(line);
                    }
                    Err(reason) => {
                        reasons.push(format!("{} `{}`: {reason}", step.noun.one, step.id));
                        refused.push(step);
                    }
                }
            }
            if refused.len() == count {
                return Err(stopped(&reasons, &done));
            }
            waiting = refused;
        }
    }
    Ok(())
}

fn stopped(reasons: &[String], done: &[String]) -> String {
    let done = match done {
        [] => "Nothing was changed".to_owned(),
        done => format!(
            "Changed before that: {}. `trivium audit list` has the numbers with which `trivium audit undo` takes them back",
            done.join(", ")
        ),
    };
    format!("refused:\n  {}\n{done}", reasons.join("\n  "))
}

async fn one(place: &Place, step: &Step) -> Result<(), String> {
    let [_, _, put, _, delete] = step.noun.operations;
    let (operation, args) = match &step.what {
        What::Create(definition) | What::Change(definition, _) => {
            (put, json!({"id": step.id, "definition": definition, "version": step.version}))
        }
        What::Delete => (delete, json!({"id": step.id, "version": step.version})),
    };
    place.call_by(known(&operation)?, args).await.map(drop)
}
