//! Autobahn's section 6: texts in UTF-8.

use super::autobahn::{check, said, text};
use super::*;

const INVALID_UTF8: Option<CloseReason> = Some(CloseReason::InvalidUtf8);

const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
const UMLAUTS: &str = "Hello-µ@ßöäüàá-UTF-8!!";

fn start(body: &[u8]) -> Frame {
    Frame::new(TEXT, body)
}

fn more(body: &[u8]) -> Frame {
    Frame::new(CONTINUATION, body)
}

fn last(body: &[u8]) -> Frame {
    Frame::new(FIN | CONTINUATION, body)
}

/// One frame for each octet.
fn octets(text: &[u8]) -> Vec<Frame> {
    let frame = |(n, octet): (usize, &u8)| {
        let opcode = if n == 0 { TEXT } else { CONTINUATION };
        let fin = if n + 1 == text.len() { FIN } else { 0 };
        Frame::new(fin | opcode, [*octet])
    };
    text.iter().enumerate().map(frame).collect()
}

/// What comes of a text in so many frames.
fn in_frames(frames: usize, text: &str) -> Vec<Event> {
    let mut events = vec![Event::Fragment; frames - 1];
    events.push(said(text));
    events
}

#[test]
fn texts_are_read_wherever_fragments_cut_them() {
    let kosme = std::str::from_utf8(KOSME).unwrap();
    let (hello, rest) = UMLAUTS.split_once('ü').unwrap();
    let rest = format!("ü{rest}");
    let middle = "middle frame payload";
    check([
        ("6.1.1", vec![text("")], vec![said("")], None),
        (
            "6.1.2",
            vec![start(b""), more(b""), last(b"")],
            in_frames(3, ""),
            None,
        ),
        (
            "6.1.3",
            vec![start(b""), more(middle.as_bytes()), last(b"")],
            in_frames(3, middle),
            None,
        ),
        ("6.2.1", vec![text(UMLAUTS)], vec![said(UMLAUTS)], None),
        (
            "6.2.2",
            vec![start(hello.as_bytes()), last(rest.as_bytes())],
            in_frames(2, UMLAUTS),
            None,
        ),
        (
            "6.2.3",
            octets(UMLAUTS.as_bytes()),
            in_frames(UMLAUTS.len(), UMLAUTS),
            None,
        ),
        ("6.2.4", octets(KOSME), in_frames(KOSME.len(), kosme), None),
    ]);
}

#[test]
fn what_is_no_text_is_refused() {
    let no_text = [KOSME, b"\xed\xa0\x80edited"].concat();
    check([
        (
            "6.3.1",
            vec![Frame::new(FIN | TEXT, &no_text[..])],
            vec![],
            INVALID_UTF8,
        ),
        (
            "6.3.2",
            octets(&no_text),
            vec![Event::Fragment; 12],
            INVALID_UTF8,
        ),
    ]);
}

#[test]
fn what_can_become_no_text_is_refused_in_mid_message() {
    // A character past the last one: its second octet is the one that is wrong.
    let (wrong, rest) = (b"\xf4\x90\x80\x80", b"edited");
    let whole = [KOSME, wrong, rest].concat();
    let frame = Frame::new(FIN | TEXT, &whole[..]);
    let (sent, at) = (frame.bytes(), frame.header().len());
    // What is sent, and the frame or piece at which it is refused.
    let cases = [
        ("6.4.1", start(KOSME).bytes(), more(wrong).bytes()),
        (
            "6.4.2",
            start(&whole[..12]).bytes(),
            more(&whole[12..13]).bytes(),
        ),
        (
            "6.4.3",
            sent[..at + 11].to_vec(),
            sent[at + 11..at + 15].to_vec(),
        ),
        (
            "6.4.4",
            sent[..at + 12].to_vec(),
            sent[at + 12..at + 13].to_vec(),
        ),
    ];
    for (case, before, hopeless) in cases {
        let mut reading = Reading::new(1000);
        reading.feed(&before);
        assert_eq!(reading.end, None, "{case}");
        reading.feed(&hopeless);
        assert_eq!(reading.end, INVALID_UTF8, "{case}");
    }
}

#[test]
fn sequences_are_told_apart() {
    let continuations: Vec<u8> = (0x80..0xBF).collect();
    let lonely = |starts: std::ops::Range<u8>| starts.flat_map(|s| [s, b' ']).collect::<Vec<u8>>();
    let lonely = [0xC0..0xDF, 0xE0..0xEF, 0xF0..0xF7, 0xF8..0xFB, 0xFC..0xFD].map(lonely);
    let lonely: [&[u8]; 5] = lonely.each_ref().map(|text| &text[..]);
    let cut_short: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    let all_cut_short = cut_short.concat();
    // Which of them are texts, in their order: `+` is one, `-` is none.
    let rows: [(&str, &str, &[&[u8]]); 18] = [
        (
            "6.5 some valid",
            "+++++",
            &[
                b"hello$world",
                b"hello\xc2\xa2world",
                b"hello\xe2\x82\xacworld",
                b"hello\xf0\xa4\xad\xa2world",
                KOSME,
            ],
        ),
        (
            "6.7 first of each length",
            "++++",
            &[b"\0", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
        ),
        (
            "6.8 first of five and six octets",
            "--",
            &[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
        ),
        (
            "6.9 last of each length",
            "++++",
            &[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
        ),
        (
            "6.10 last of four, five and six octets",
            "---",
            &[
                b"\xf7\xbf\xbf\xbf",
                b"\xfb\xbf\xbf\xbf\xbf",
                b"\xfd\xbf\xbf\xbf\xbf\xbf",
            ],
        ),
        (
            "6.11 other boundaries",
            "++++-",
            &[
                b"\xed\x9f\xbf",
                b"\xee\x80\x80",
                b"\xef\xbf\xbd",
                b"\xf4\x8f\xbf\xbf",
                b"\xf4\x90\x80\x80",
            ],
        ),
        (
            "6.12 continuations of nothing",
            "--------",
            &[
                b"\x80",
                b"\xbf",
                b"\x80\xbf",
                b"\x80\xbf\x80",
                b"\x80\xbf\x80\xbf",
                b"\x80\xbf\x80\xbf\x80",
                b"\x80\xbf\x80\xbf\x80\xbf",
                &continuations,
            ],
        ),
        ("6.13 starts that nothing follows", "-----", &lonely),
        ("6.14 without the last octet", "----------", &cut_short),
        ("6.15 these joined", "-", &[&all_cut_short]),
        (
            "6.16 impossible octets",
            "---",
            &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
        ),
        (
            "6.17 overlong ASCII",
            "-----",
            &[
                b"\xc0\xaf",
                b"\xe0\x80\xaf",
                b"\xf0\x80\x80\xaf",
                b"\xf8\x80\x80\x80\xaf",
                b"\xfc\x80\x80\x80\x80\xaf",
            ],
        ),
        (
            "6.18 longest overlong",
            "-----",
            &[
                b"\xc1\xbf",
                b"\xe0\x9f\xbf",
                b"\xf0\x8f\xbf\xbf",
                b"\xf8\x87\xbf\xbf\xbf",
                b"\xfc\x83\xbf\xbf\xbf\xbf",
            ],
        ),
        (
            "6.19 overlong NUL",
            "-----",
            &[
                b"\xc0\x80",
                b"\xe0\x80\x80",
                b"\xf0\x80\x80\x80",
                b"\xf8\x80\x80\x80\x80",
                b"\xfc\x80\x80\x80\x80\x80",
            ],
        ),
        (
            "6.20 surrogates",
            "-------",
            &[
                b"\xed\xa0\x80",
                b"\xed\xad\xbf",
                b"\xed\xae\x80",
                b"\xed\xaf\xbf",
                b"\xed\xb0\x80",
                b"\xed\xbe\x80",
                b"\xed\xbf\xbf",
            ],
        ),
        (
            "6.21 surrogates in pairs",
            "--------",
            &[
                b"\xed\xa0\x80\xed\xb0\x80",
                b"\xed\xa0\x80\xed\xbf\xbf",
                b"\xed\xad\xbf\xed\xb0\x80",
                b"\xed\xad\xbf\xed\xbf\xbf",
                b"\xed\xae\x80\xed\xb0\x80",
                b"\xed\xae\x80\xed\xbf\xbf",
                b"\xed\xaf\xbf\xed\xb0\x80",
                b"\xed\xaf\xbf\xed\xbf\xbf",
            ],
        ),
        (
            "6.22 of the first plane",
            "++",
            &[b"\xef\xbf\xbe", b"\xef\xbf\xbf"],
        ),
        (
            "6.23 specials",
            "+++++++",
            &[
                b"\xef\xbf\xb9",
                b"\xef\xbf\xba",
                b"\xef\xbf\xbb",
                b"\xef\xbf\xbc",
                b"\xef\xbf\xbd",
                b"\xef\xbf\xbe",
                b"\xef\xbf\xbf",
            ],
        ),
    ];
    for (case, valid, sequences) in rows {
        assert_eq!(valid.len(), sequences.len(), "{case}");
        for (sequence, valid) in sequences.iter().zip(valid.bytes()) {
            check_one(case, sequence, valid == b'+');
        }
    }
}

#[test]
fn only_prefixes_that_end_with_a_character_are_texts() {
    for len in 1..=KOSME.len() {
        let whole = [2, 5, 7, 9, 11].contains(&len);
        check_one("6.6", &KOSME[..len], whole);
    }
}

#[test]
fn noncharacters_are_texts() {
    for plane in 1..=16 {
        for low in ['\u{FFFE}', '\u{FFFF}'] {
            let noncharacter = char::from_u32(plane << 16 | u32::from(low)).unwrap();
            check_one("6.22", noncharacter.to_string().as_bytes(), true);
        }
    }
}

fn check_one(case: &'static str, sequence: &[u8], valid: bool) {
    let sent = vec![Frame::new(FIN | TEXT, sequence)];
    check([if valid {
        let text = std::str::from_utf8(sequence).unwrap();
        (case, sent, vec![said(text)], None)
    } else {
        (case, sent, vec![], INVALID_UTF8)
    }]);
}
