//! What a request is about, by rules that anybody can read: words in the client's last message, in several languages, and
//! how good families of models are at each kind. Both are tables; nothing here is learned, and nothing leaves the hub.

use serde::{Deserialize, Serialize};

/// Kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Writing or mending programs.
    Coding,
    /// Proofs, puzzles, planning.
    Reasoning,
    /// Looking at pictures.
    Vision,
    /// Comparing, reviewing, explaining data.
    Analysis,
    /// Making long things short.
    Summary,
    /// Talking.
    Chat,
}

impl TaskKind {
    /// The kind's name in explanations and in `auto/<kind>`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coding => "coding",
            Self::Reasoning => "reasoning",
            Self::Vision => "vision",
            Self::Analysis => "analysis",
            Self::Summary => "summary",
            Self::Chat => "chat",
        }
    }
}

/// Words of which one is enough. The first kind that has one in the text wins; words are compared in lower case, and as
/// parts of words, since several of these languages inflect or do not put spaces between words.
const WORDS: [(TaskKind, &[&str]); 4] = [
    (
        TaskKind::Coding,
        &[
            "```",
            "fn ",
            "def ",
            "class ",
            "import ",
            "compile",
            "refactor",
            "stack trace",
            "unit test",
            "debug",
            "function",
            "bug",
            "regex",
            "sql", // English, and the languages themselves
            "programa",
            "código",
            "função",
            "función",
            "depurar",
            "compilar", // Portuguese and Spanish
            "funktion",
            "programmier",
            "fehlermeldung",
            "quelltext", // German
            "代码",
            "函数",
            "编程",
            "调试",
            "程序", // Chinese
            "الكود",
            "برمجة",
            "دالة", // Arabic
            "код",
            "функци", // Russian
        ],
    ),
    (
        TaskKind::Summary,
        &[
            "summar",
            "tl;dr",
            "shorten",
            "key points",
            "resum",
            "zusammenfass",
            "总结",
            "摘要",
            "概括",
            "ملخص",
            "لخص",
            "кратко",
            "суммар",
        ],
    ),
    (
        TaskKind::Reasoning,
        &[
            "prove",
            "step by step",
            "theorem",
            "puzzle",
            "plan ",
            "derive",
            "passo a passo",
            "paso a paso",
            "demostra",
            "demuestra",
            "beweis",
            "schritt für schritt",
            "证明",
            "推理",
            "一步一步",
            "إثبات",
            "خطوة بخطوة",
            "докажи",
        ],
    ),
    (
        TaskKind::Analysis,
        &[
            "analy",
            "compare",
            "review",
            "evaluate",
            "anális",
            "analis",
            "compar",
            "vergleich",
            "bewerte",
            "分析",
            "比较",
            "评估",
            "تحليل",
            "قارن",
            "сравни",
            "анализ",
        ],
    ),
];

/// What a request's last message is about. One that shows pictures is about them.
#[must_use]
pub fn detect(text: &str, shows_pictures: bool) -> TaskKind {
    if shows_pictures {
        return TaskKind::Vision;
    }
    let text = text.to_lowercase();
    WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|word| text.contains(word)))
        .map_or(TaskKind::Chat, |(kind, _)| *kind)
}

/// How good a family of models is, in thousandths, at coding, reasoning, vision, analysis, summaries and chat. The first
/// pattern that is part of the model's name counts, so that the narrower ones stand first. Rough on purpose: an opinion
/// of November 2026, to be overruled by measuring, and only one factor of six.
const FAMILIES: [(&str, [u16; 6]); 34] = [
    ("claude-opus", [980, 970, 930, 970, 900, 930]),
    ("claude-fable", [960, 950, 920, 950, 920, 950]),
    ("claude-sonnet", [960, 930, 910, 940, 920, 930]),
    ("claude-haiku", [820, 760, 800, 800, 880, 860]),
    ("codex-mini", [860, 780, 500, 740, 760, 640]),
    ("codex", [970, 920, 600, 880, 800, 720]),
    ("gpt-5-nano", [620, 600, 600, 640, 780, 720]),
    ("gpt-5-mini", [800, 800, 780, 800, 860, 840]),
    ("gpt-5", [950, 960, 900, 950, 920, 920]),
    ("gpt-4o-mini", [640, 580, 700, 660, 800, 780]),
    ("gpt-4o", [780, 700, 850, 800, 860, 880]),
    ("gpt-oss-120b", [760, 820, 200, 780, 800, 760]),
    ("gpt-oss", [640, 700, 200, 680, 740, 700]),
    ("o4-mini", [860, 900, 780, 860, 760, 680]),
    ("o3", [900, 950, 820, 920, 800, 700]),
    ("gemini-3.1-pro", [930, 960, 960, 950, 920, 900]),
    ("flash-lite", [640, 600, 760, 660, 820, 780]),
    ("flash", [800, 800, 880, 820, 880, 850]),
    ("gemini", [860, 880, 930, 900, 900, 880]),
    ("gemma", [560, 540, 640, 600, 720, 740]),
    ("deepseek-reasoner", [860, 930, 200, 880, 760, 700]),
    ("deepseek", [860, 850, 200, 840, 840, 820]),
    ("qwen3-coder", [900, 760, 200, 760, 740, 680]),
    ("qwen", [820, 820, 500, 800, 820, 800]),
    ("glm", [850, 830, 400, 810, 820, 800]),
    ("kimi", [880, 860, 500, 850, 840, 830]),
    ("minimax", [830, 800, 300, 790, 800, 790]),
    ("codestral", [840, 600, 100, 620, 640, 560]),
    ("devstral", [850, 650, 100, 660, 640, 560]),
    ("mistral-large", [760, 740, 600, 780, 820, 820]),
    ("mistral", [660, 620, 400, 680, 780, 780]),
    ("grok", [840, 880, 760, 860, 820, 850]),
    ("llama-4", [700, 680, 760, 720, 800, 800]),
    ("llama", [620, 580, 200, 640, 760, 780]),
];

/// How good a model is at a kind of work, in thousandths; `None` for families that the table does not know.
#[must_use]
pub fn fit(model: &str, kind: TaskKind) -> Option<u16> {
    let model = model.to_ascii_lowercase();
    let (_, [coding, reasoning, vision, analysis, summary, chat]) =
        FAMILIES.iter().find(|(part, _)| model.contains(part))?;
    Some(match kind {
        TaskKind::Coding => *coding,
        TaskKind::Reasoning => *reasoning,
        TaskKind::Vision => *vision,
        TaskKind::Analysis => *analysis,
        TaskKind::Summary => *summary,
        TaskKind::Chat => *chat,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_several_languages_tell_the_task() {
        for (text, kind) in [
            ("Please refactor this module", TaskKind::Coding),
            ("Escreva uma função que ordena", TaskKind::Coding),
            ("请帮我调试这个问题", TaskKind::Coding),
            ("اكتب دالة", TaskKind::Coding),
            ("Summarise the following", TaskKind::Summary),
            ("Resume el texto", TaskKind::Summary),
            ("请总结一下", TaskKind::Summary),
            ("Prove that there are infinitely many primes", TaskKind::Reasoning),
            ("Compare these two offers", TaskKind::Analysis),
            ("Hello, how are you?", TaskKind::Chat),
        ] {
            assert_eq!(detect(text, false), kind, "{text}");
        }
        assert_eq!(detect("what is this?", true), TaskKind::Vision);
    }

    #[test]
    fn narrower_families_go_first() {
        assert!(fit("claude-haiku-4-5", TaskKind::Coding) < fit("claude-opus-4-8", TaskKind::Coding));
        assert!(fit("openai/gpt-5-nano", TaskKind::Chat) < fit("gpt-5.2", TaskKind::Chat));
        assert_eq!(fit("somebody-s-model", TaskKind::Chat), None);
        for (at, (part, _)) in FAMILIES.iter().enumerate() {
            let hidden = FAMILIES[..at].iter().find(|(earlier, _)| part.contains(earlier));
            assert_eq!(hidden, None, "{part} can never be reached");
        }
    }
}
