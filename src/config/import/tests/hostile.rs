//! Files with mistakes, and files that mean harm: every answer is a refusal or something that loads.

use super::{
    super::SourceKind,
    import, loaded, notes,
    sources::{ALL, VARS},
    tells, try_import,
};

/// What is put where a value belongs.
const WRONG: [&str; 4] =
    [" [1, {a: [b]}]", " true", " -1e300", " \"${\\u001b[31m} $ sk-aaaaaaaaaaaaaaaaaaaa\""];

#[test]
fn a_wrong_value_anywhere_is_survived() {
    for (kind, texts) in ALL {
        let Some((name, text)) = texts.first() else { continue };
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some(colon) = line.find(": ").or_else(|| line.ends_with(':').then(|| line.len() - 1)) else {
                continue;
            };
            let wrong = WRONG[index % WRONG.len()];
            let end = if line.trim_end().ends_with(',') { "," } else { "" };
            let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            changed[index] = format!("{}{wrong}{end}", &line[..=colon]);
            answered(kind, name, &changed.join("\n"));
            changed.remove(index);
            answered(kind, name, &changed.join("\n"));
        }
    }
}

fn answered(kind: SourceKind, name: &str, text: &str) {
    if let Ok(imported) = try_import(Some(kind), &[(name, text)]) {
        loaded(&imported, &VARS);
        assert!(!imported.yaml().contains("SECRET"));
    }
}

#[test]
fn every_kind_survives_what_is_none_of_it() {
    let texts = [
        "[]",
        "{}",
        "1",
        "\"text\"",
        "null",
        "a: b",
        "- - - 1",
        "providers: {a: 1}",
        "model_list: {a: [1]}",
        "\u{feff}{\"combos\": 5}",
    ];
    for kind in SourceKind::ALL {
        for text in texts {
            answered(kind, "file", text);
        }
        for (_, files) in ALL {
            if let Ok(imported) = try_import(Some(kind), files) {
                loaded(&imported, &VARS);
            }
        }
    }
}

#[test]
fn names_are_made_valid_and_unique() {
    let text = r#"{"providerConnections": [
        {"id": "1", "provider": "groq", "authType": "apikey", "name": "büro / 2", "apiKey": "k1"},
        {"id": "2", "provider": "groq", "authType": "apikey", "name": "b ro 2", "apiKey": "k2"},
        {"id": "3", "provider": "groq", "authType": "apikey", "name": "gsk_abcdefghijklmnop", "apiKey": "k3"},
        {"id": "4", "provider": "groq", "authType": "apikey", "name": "../../etc", "apiKey": "k4"}],
        "combos": [{"name": "my combo", "models": ["groq/a"]}, {"name": "my-combo", "models": ["groq/a"]}]}"#;
    let imported = import(&[("db.json", text)]);
    assert_eq!(
        super::ids(&imported, "providers"),
        ["groq-b-ro-2", "groq-b-ro-2-2", "groq-1", "groq-..-..-etc"]
    );
    assert_eq!(super::ids(&imported, "combos"), ["my-combo", "my-combo-2"]);
    tells(&imported, &["the name `my combo` became `my-combo`"]);
    assert!(!notes(&imported).contains("gsk_abc"));
    loaded(&imported, &[]);
    let group = |name: &str, model: &str| {
        format!("  - {{model_name: {name}, litellm_params: {{model: openai/{model}, api_key: k}}}}\n")
    };
    let groups: String = [("My Group", "a"), ("My Group", "b"), ("last", "c")]
        .map(|(name, model)| group(name, model))
        .concat();
    let text = format!(
        "model_list:\n{groups}router_settings: {{fallbacks: [{{last: [My Group]}}, {{My Group: [last]}}]}}\n"
    );
    let imported = import(&[("config.yaml", &text)]);
    assert_eq!(super::ids(&imported, "combos"), ["My-Group-pool", "My-Group", "last"]);
    tells(&imported, &["the name `My Group` became `My-Group`"]);
    loaded(&imported, &[]);
}

#[test]
fn size_is_bounded() {
    let item = |n: usize| {
        format!("  - {{model_name: m{n}, litellm_params: {{model: openai/m{n}, api_key: k{n}}}}}\n")
    };
    let list = |count: usize| format!("model_list:\n{}", (0..count).map(item).collect::<String>());
    let imported = import(&[("big.yaml", &list(300))]);
    assert_eq!(imported.documents.len(), 300);
    let refused = try_import(None, &[("big.yaml", &list(2_001))]).unwrap_err().to_string();
    assert!(refused.contains("more than 2000"), "{refused}");
    let empty: String = "providers:\n".to_owned() + &"  - {type: groq}\n".repeat(2_000);
    let imported = import(&[("providers.yaml", &empty)]);
    assert!(imported.notes.len() < 400 && notes(&imported).contains("more notes are not shown"));
}
