//! The model list (`GET /v1/models`, `GET /v1/models/{id}`).

use serde::Serialize;

/// A page of models, here always the only one.
#[derive(Debug, Clone, Serialize)]
pub struct ModelList<'a> {
    /// The models.
    pub data: Vec<Model<'a>>,
    /// Whether there are more behind the last.
    pub has_more: bool,
    /// The id of the first, from which a client may page backwards.
    pub first_id: Option<&'a str>,
    /// The id of the last, from which a client may page on.
    pub last_id: Option<&'a str>,
}

impl<'a> ModelList<'a> {
    /// A list of `data`.
    #[must_use]
    pub fn new(data: Vec<Model<'a>>) -> Self {
        let (first_id, last_id) = (data.first().map(|model| model.id), data.last().map(|model| model.id));
        Self { data, has_more: false, first_id, last_id }
    }
}

/// One model.
#[derive(Debug, Clone, Serialize)]
pub struct Model<'a> {
    /// Always `model`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The id under which it is asked for.
    pub id: &'a str,
    /// Its name for people.
    pub display_name: &'a str,
    /// When it became known here, as RFC 3339 in UTC.
    pub created_at: String,
}

impl<'a> Model<'a> {
    /// A model; `created` in seconds since the Unix epoch.
    #[must_use]
    pub fn new(id: &'a str, display_name: &'a str, created: i64) -> Self {
        Self { kind: "model", id, display_name, created_at: rfc3339(created) }
    }
}

/// Seconds since the Unix epoch as RFC 3339, by the civil calendar whose years begin in March.
fn rfc3339(seconds: i64) -> String {
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let from_march_0000 = days + 719_468;
    let (era, day_of_era) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_list_names_its_ends() {
        let list = ModelList::new(vec![Model::new("a", "A", 0), Model::new("b", "B", 0)]);
        let expected = r#"{"data":[{"type":"model","id":"a","display_name":"A","created_at":"1970-01-01T00:00:00Z"},{"type":"model","id":"b","display_name":"B","created_at":"1970-01-01T00:00:00Z"}],"has_more":false,"first_id":"a","last_id":"b"}"#;
        assert_eq!(serde_json::to_string(&list).unwrap(), expected);
        let none = serde_json::to_string(&ModelList::new(Vec::new())).unwrap();
        assert_eq!(none, r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#);
    }
}
