//! The text in which Prometheus reads metrics (version 0.0.4). Knows the format and no metric.

use std::fmt::{Display, Write};

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts by size.
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The text in the making.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    name: &'static str,
}

/// A label's name and value.
pub type Label<'a> = (&'static str, &'a str);

impl Exposition {
    /// Begins a metric; what follows are its samples.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        self.name = name;
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.as_str()));
    }

    /// A sample of the metric.
    pub fn sample(&mut self, labels: &[Label<'_>], value: impl Display) {
        self.line("", labels, None, value);
    }

    /// A histogram: the largest value of each piece but the last with the count of it, the count of what is larger, and the
    /// sum of all values.
    pub fn histogram(&mut self, labels: &[Label<'_>], pieces: &[(f64, u64)], larger: u64, sum: f64) {
        let mut count = 0;
        for (bound, more) in pieces {
            count += more;
            self.line("_bucket", labels, Some(&bound.to_string()), count);
        }
        count += larger;
        self.line("_bucket", labels, Some("+Inf"), count);
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, count);
    }

    /// The whole text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, suffix: &str, labels: &[Label<'_>], bound: Option<&str>, value: impl Display) {
        let name = self.name;
        self.put(format_args!("{name}{suffix}"));
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let mut between = '{';
        for (name, value) in all {
            self.text.push(between);
            self.put(format_args!("{name}=\""));
            self.escape(value);
            self.text.push('"');
            between = ',';
        }
        if between == ',' {
            self.text.push('}');
        }
        self.put(format_args!(" {value}\n"));
    }

    fn escape(&mut self, value: &str) {
        for letter in value.chars() {
            match letter {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = self.text.write_fmt(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut text = Exposition::default();
        text.family("a_total", Kind::Counter, "What it counts.");
        text.sample(&[], 1);
        text.sample(&[("x", "say \"hi\"\\\n"), ("y", "")], 2.5);
        text.family("b_seconds", Kind::Histogram, "How long.");
        text.histogram(&[("z", "1")], &[(0.5, 2), (1.0, 0)], 1, 3.25);
        let expected = "# HELP a_total What it counts.\n# TYPE a_total counter\na_total 1\n\
             a_total{x=\"say \\\"hi\\\"\\\\\\n\",y=\"\"} 2.5\n\
             # HELP b_seconds How long.\n# TYPE b_seconds histogram\n\
             b_seconds_bucket{z=\"1\",le=\"0.5\"} 2\nb_seconds_bucket{z=\"1\",le=\"1\"} 2\n\
             b_seconds_bucket{z=\"1\",le=\"+Inf\"} 3\nb_seconds_sum{z=\"1\"} 3.25\nb_seconds_count{z=\"1\"} 3\n";
        assert_eq!(text.finish(), expected);
    }
}
