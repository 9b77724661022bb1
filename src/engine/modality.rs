//! What a model is made for, by its name: providers list models of every kind together and seldom say which is which. A table
//! that anybody can read; what it does not know is taken for a model to talk to.

/// What models are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modality {
    /// Talking.
    Chat,
    /// Turning text into vectors.
    Embedding,
    /// Drawing.
    Image,
    /// Hearing and speaking.
    Audio,
    /// Making films.
    Video,
    /// Ordering texts by how well they answer a question.
    Rerank,
    /// Judging what is said.
    Moderation,
}

/// Parts of names, in lower case. The first that is part of a name counts, so that the narrower ones stand first.
const WORDS: [(&str, Modality); 33] = [
    ("rerank", Modality::Rerank),
    ("moderation", Modality::Moderation),
    ("llama-guard", Modality::Moderation),
    ("prompt-guard", Modality::Moderation),
    ("shieldgemma", Modality::Moderation),
    ("safeguard", Modality::Moderation),
    ("embed", Modality::Embedding),
    ("bge-", Modality::Embedding),
    ("e5-", Modality::Embedding),
    ("gte-", Modality::Embedding),
    ("whisper", Modality::Audio),
    ("transcribe", Modality::Audio),
    ("tts", Modality::Audio),
    ("voxtral", Modality::Audio),
    ("parakeet", Modality::Audio),
    ("realtime", Modality::Audio),
    ("orpheus", Modality::Audio),
    ("lyria", Modality::Audio),
    ("-audio", Modality::Audio),
    ("sora", Modality::Video),
    ("veo-", Modality::Video),
    ("kling", Modality::Video),
    ("-video", Modality::Video),
    ("dall-e", Modality::Image),
    ("gpt-image", Modality::Image),
    ("imagen", Modality::Image),
    ("flash-image", Modality::Image),
    ("image-preview", Modality::Image),
    ("stable-diffusion", Modality::Image),
    ("sdxl", Modality::Image),
    ("flux", Modality::Image),
    ("seedream", Modality::Image),
    ("recraft", Modality::Image),
];

/// What a model of this name is made for.
#[must_use]
pub fn of(model: &str) -> Modality {
    let model = model.to_ascii_lowercase();
    WORDS.iter().find(|(part, _)| model.contains(part)).map_or(Modality::Chat, |(_, modality)| *modality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_model_is_made_for() {
        for (name, modality) in [
            ("gpt-4o", Modality::Chat),
            ("llama-3.3-70b-versatile", Modality::Chat),
            ("gemini-2.5-flash-lite", Modality::Chat),
            ("text-embedding-3-small", Modality::Embedding),
            ("BAAI/bge-m3", Modality::Embedding),
            ("BAAI/bge-reranker-v2-m3", Modality::Rerank),
            ("rerank-v3.5", Modality::Rerank),
            ("omni-moderation-latest", Modality::Moderation),
            ("meta-llama/Llama-Guard-4-12B", Modality::Moderation),
            ("whisper-large-v3-turbo", Modality::Audio),
            ("gpt-4o-mini-tts", Modality::Audio),
            ("gemini-2.5-flash-image", Modality::Image),
            ("black-forest-labs/FLUX.1-dev", Modality::Image),
            ("veo-3", Modality::Video),
        ] {
            assert_eq!(of(name), modality, "{name}");
        }
        for (at, (part, _)) in WORDS.iter().enumerate() {
            let hidden = WORDS[..at].iter().find(|(earlier, _)| part.contains(earlier));
            assert_eq!(hidden, None, "{part} can never be reached");
        }
    }
}
