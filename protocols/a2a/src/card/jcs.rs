//! RFC 8785: one way to write a JSON value. Keys are sorted by their UTF-16 units, numbers are doubles as ECMAScript
//! writes them, nothing is escaped that need not be.

use serde_json::Value;

/// The value in its one form.
pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    append(value, &mut out);
    out
}

fn append(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
        Value::Number(it) => number(it.as_f64().unwrap_or(0.0), out),
        Value::String(it) => text(it, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                append(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            out.push('{');
            for (index, (name, value)) in fields.into_iter().enumerate() {
                separate(index, out);
                text(name, out);
                out.push(':');
                append(value, out);
            }
            out.push('}');
        }
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

/// The two quotes of JSON, the five short escapes, and `\u00xx` for other control characters.
fn text(text: &str, out: &mut String) {
    out.push('"');
    for it in text.chars() {
        match it {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            it if it < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(it))),
            it => out.push(it),
        }
    }
    out.push('"');
}

/// A double as ECMAScript writes it: the shortest digits that lead back to it, with an exponent from 1e21 on and below
/// 1e-6.
fn number(number: f64, out: &mut String) {
    if number == 0.0 {
        return out.push('0');
    }
    if number < 0.0 {
        out.push('-');
    }
    let shortest = shortest(number.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // Where the point stands behind the first digit.
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let (head, tail) = digits.split_at(usize::try_from(point.clamp(1, count)).unwrap_or(1));
    match point {
        _ if (count..=21).contains(&point) => {
            out.push_str(&digits);
            out.push_str(&zeros(point - count));
        }
        1..=21 => out.push_str(&format!("{head}.{tail}")),
        -5..=0 => out.push_str(&format!("0.{}{digits}", zeros(-point))),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            out.push_str(&format!("{first}{dot}{rest}e{:+}", point - 1));
        }
    }
}

/// The fewest digits that lead back to a number, as `d.ddde±x`. Of several that are as few, the nearest, and of two as
/// near the even one, where Rust alone would take the larger.
fn shortest(number: f64) -> String {
    let fewest = format!("{number:e}");
    let fraction = fewest.split('e').next().unwrap_or_default().len().saturating_sub(2);
    let nearest = format!("{number:.fraction$e}");
    if nearest.parse() == Ok(number) { nearest } else { fewest }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// From appendix B of RFC 8785: the bits of a double, and how it is written.
    const NUMBERS: &[(u64, &str)] = &[
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];

    #[test]
    fn numbers_are_those_of_ecmascript() {
        for (bits, written) in NUMBERS {
            let mut out = String::new();
            number(f64::from_bits(*bits), &mut out);
            assert_eq!(out, *written);
        }
        assert_eq!(
            write(&json!([1, -1, 100, 1.5, 1e20, 0.1, 120.0])),
            "[1,-1,100,1.5,100000000000000000000,0.1,120]"
        );
    }

    #[test]
    fn keys_are_sorted_by_their_units_and_little_is_escaped() {
        // The pair of units of the emoji comes before the one unit of the ligature, though its code point is larger.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "ö": 3, "1": 4, "\r": 5, "€": 6, "\u{80}": 7});
        assert_eq!(
            write(&value),
            "{\"\\r\":5,\"1\":4,\"\u{80}\":7,\"ö\":3,\"€\":6,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
        assert_eq!(
            write(&json!("\u{7f}\u{1f}\u{8}/\"\\é\u{2028}")),
            "\"\u{7f}\\u001f\\b/\\\"\\\\é\u{2028}\""
        );
        assert_eq!(write(&json!({"b": [true, null, {}], "a": []})), r#"{"a":[],"b":[true,null,{}]}"#);
    }

    proptest! {
        #[test]
        fn what_is_written_is_the_same_value(number in prop::num::f64::NORMAL, text in ".*") {
            // The reader of JSON is not exact to the last bit; Rust's own is.
            let written = write(&json!(number));
            prop_assert_eq!(written.parse::<f64>(), Ok(number));
            let again: Value = serde_json::from_str(&write(&json!({"t": text}))).unwrap();
            prop_assert_eq!(again["t"].as_str(), Some(text.as_str()));
        }
    }
}
