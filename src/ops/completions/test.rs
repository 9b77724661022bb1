//! Trying every target of a combo: a small request for each, past the order that the combo would choose.

use std::sync::Arc;

use canon::Dialect;
use futures_util::{StreamExt, stream};
use operations::{
    completions::{ChatMessage, ComboTest, Speaker, TargetError, TargetTest, TestComboArgs},
    routing::LeftOut,
};

use super::{COMBO, Completions, Question, conversation};
use crate::{
    engine::{
        code::Code,
        cost,
        need::{Need, Wishes},
        ports::Target,
        reuse::Freshness,
        settings::Usd,
    },
    ops::{OpError, registry::Asked},
};

/// Targets that are tried at a time.
const AT_ONCE: usize = 4;
/// Most targets of one test.
const MOST: usize = 32;
/// Tokens of an answer when nothing is said.
const ANSWER: u64 = 16;
/// What is asked when nothing is said.
const GREETING: &str = "Reply with the word ok.";

impl Completions {
    /// Asks each target of a combo once.
    ///
    /// # Errors
    /// When there is no such combo, or the caller may not ask it.
    pub async fn test_combo(&self, asked: &Asked, args: TestComboArgs) -> Result<ComboTest, OpError> {
        let name = args.name.strip_prefix(COMBO).unwrap_or(&args.name).to_owned();
        let known = self.engine.snapshot().settings.combos.iter().any(|combo| *combo.id == *name);
        if !known {
            return Err(OpError::NotFound { noun: "combo", name });
        }
        let most = args.max_tokens.unwrap_or(ANSWER);
        let prompt = args.prompt.unwrap_or_else(|| GREETING.to_owned());
        let need = Need { answer: Some(most), ..Need::default() };
        let plan = self.engine.simulate(&asked.caller, &format!("{COMBO}{name}"), Dialect::Chat, &need);
        let plan = plan.map_err(|refusal| match refusal.code {
            Code::ModelNotAllowed => OpError::Denied(Box::new(refusal)),
            _ => OpError::Refused(refusal.message.into()),
        })?;
        let mut targets: Vec<Target> = Vec::new();
        for target in plan.targets {
            let same = |one: &Target| one.connection.id == target.connection.id && one.model == target.model;
            if !targets.iter().any(same) {
                targets.push(target);
            }
        }
        let omitted = u64::try_from(targets.len().saturating_sub(MOST)).unwrap_or(u64::MAX);
        targets.truncate(MOST);
        let left_out = plan.skipped.iter().map(|skip| skip.record());
        let left_out = left_out.map(|skip| LeftOut {
            connection: skip.connection.to_string(),
            model: skip.model.to_string(),
            reason: skip.reason,
            until_at: skip.until,
        });
        let mut test = ComboTest {
            combo: name,
            dry_run: args.dry_run,
            left_out: left_out.collect(),
            omitted,
            ..ComboTest::default()
        };
        if args.dry_run {
            test.targets = targets.iter().map(|target| would_ask(target, &prompt, most)).collect();
            return Ok(test);
        }
        let prompt: Arc<str> = prompt.into();
        let asking = targets.into_iter().map(|target| {
            let prompt = Arc::clone(&prompt);
            async move { self.ask_target(asked, &target, &prompt, most).await }
        });
        test.targets = stream::iter(asking).buffered(AT_ONCE).collect().await;
        let answered = || test.targets.iter().filter(|one| one.ok == Some(true));
        let named = |one: &TargetTest| format!("{}/{}", one.connection, one.model);
        test.fastest = answered().min_by_key(|one| one.latency_ms.unwrap_or(u32::MAX)).map(named);
        let priced = answered().filter_map(|one| Some((one, one.cost_usd?)));
        test.cheapest = priced.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(one, _)| named(one));
        if let Some(progress) = &asked.progress {
            let all = test.targets.len() as f64;
            progress.report(all, Some(all), "every target was asked".to_owned());
        }
        Ok(test)
    }

    /// Asks one target and nobody else.
    async fn ask_target(&self, asked: &Asked, target: &Target, prompt: &str, most: u64) -> TargetTest {
        let named = format!("{}/{}", target.connection.id, target.model);
        let message = ChatMessage { role: Speaker::User, content: prompt.to_owned() };
        let mut body = conversation(&named, &[message]);
        body.insert("max_tokens".to_owned(), most.into());
        let wishes = Wishes { only: vec![target.connection.id.to_string()], ..Wishes::default() };
        let told = TargetTest {
            connection: target.connection.id.to_string(),
            model: target.model.to_string(),
            ok: Some(false),
            ..TargetTest::default()
        };
        let failed = |code: &str, message: String| Some(TargetError { code: code.to_owned(), message });
        // An answer that was made before says nothing of the target.
        let freshness = Freshness { takes: false, gives: false, max_age: None };
        let question = Question { body, wishes, searches: None, freshness, progress: None };
        let done = match self.ask(asked, question).await {
            Ok(done) => done,
            Err(error) => return TargetTest { error: failed(error.code(), error.to_string()), ..told },
        };
        let told = TargetTest {
            request_id: Some(done.id),
            latency_ms: done.receipt.as_ref().map(|receipt| receipt.total_ms),
            cost_usd: done.receipt.as_ref().and_then(|receipt| receipt.cost).map(Usd::dollars),
            ..told
        };
        match done.said {
            Ok(_) => TargetTest { ok: Some(true), ..told },
            Err(refusal) => {
                TargetTest { error: failed(refusal.code.as_str(), refusal.message.into()), ..told }
            }
        }
    }
}

/// What asking a target may cost at most.
fn would_ask(target: &Target, prompt: &str, most: u64) -> TargetTest {
    let prompt = canon::tokens::in_text(prompt);
    TargetTest {
        connection: target.connection.id.to_string(),
        model: target.model.to_string(),
        cost_usd: cost::expected(&target.facts, prompt, most).map(Usd::dollars),
        ..TargetTest::default()
    }
}
