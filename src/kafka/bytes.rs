//! The bytes of the few requests and answers of Kafka that tandem speaks without the client library.

use std::io::{self, ErrorKind, Read};

/// What is read of an answer at most. That of a broker about a topic of a hundred partitions takes a few KiB.
const ANSWER_MAX: usize = 1 << 20;

/// A text with its length before it.
pub(in crate::kafka) fn text(text: &str) -> Vec<u8> {
    let length = i16::try_from(text.len()).unwrap_or(i16::MAX);
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

/// What follows the length and the correlation of a complete answer.
pub(in crate::kafka) fn body(answer: &[u8]) -> Option<&[u8]> {
    let length = u32::from_be_bytes(*answer.first_chunk()?) as usize;
    (length + 4 == answer.len()).then(|| answer.get(8..)).flatten()
}

/// Takes so many bytes.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

/// Takes a byte that is 0 or not.
pub(in crate::kafka) fn take_bool(rest: &mut &[u8]) -> Option<bool> {
    take::<1>(rest).map(|[byte]| byte != 0)
}

/// Takes a number of two bytes.
pub(in crate::kafka) fn take_i16(rest: &mut &[u8]) -> Option<i16> {
    take(rest).map(i16::from_be_bytes)
}

/// Takes a number of four bytes.
pub(in crate::kafka) fn take_i32(rest: &mut &[u8]) -> Option<i32> {
    take(rest).map(i32::from_be_bytes)
}

/// Takes a text with its length before it.
pub(in crate::kafka) fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_i16(rest)?).ok()?;
    take_text_of(rest, length)
}

/// Takes a text that may be absent, which is empty then.
pub(in crate::kafka) fn take_text_or_none(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_i16(rest)?).unwrap_or(0);
    take_text_of(rest, length)
}

fn take_text_of(rest: &mut &[u8], length: usize) -> Option<String> {
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Takes as many of these as a number of four bytes says.
pub(in crate::kafka) fn take_all<T>(rest: &mut &[u8], mut one: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let count = usize::try_from(take_i32(rest)?).ok()?;
    // Each takes at least a byte: no answer makes this take more than it has.
    (count <= rest.len()).then_some(())?;
    (0..count).map(|_| one(rest)).collect()
}

/// Takes a number of variable length, seven bits in each byte, the lowest first.
pub(in crate::kafka) fn take_variable(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let [byte] = take(rest)?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes a text with one more than its length before it, which is 0 where it is absent.
pub(in crate::kafka) fn take_compact_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_variable(rest)?).ok()?;
    take_text_of(rest, length.saturating_sub(1))
}

/// A request with its length before it: key and version, correlation, the client's name, and the body.
pub(in crate::kafka) fn request((key, version): (i16, i16), correlation: i32, client: &str, body: &[u8]) -> Vec<u8> {
    let head = [key.to_be_bytes(), version.to_be_bytes()].concat();
    let payload = [&head, &correlation.to_be_bytes()[..], &text(client), body].concat();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &payload].concat()
}

/// Everything up to the end of the first answer by its length, or up to the end of what is sent; what looks like no
/// answer of Kafka's is given back as it comes.
pub(in crate::kafka) fn read_answer(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let length = answer
            .first_chunk::<4>()
            .map(|length| u32::from_be_bytes(*length) as usize + 4);
        if length.is_some_and(|length| length > ANSWER_MAX || answer.len() >= length) {
            return Ok(answer);
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(answer),
            Ok(read) => answer.extend(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A part of an answer is returned; the caller rejects it.
            Err(_) if !answer.is_empty() => return Ok(answer),
            Err(error) => return Err(error),
        }
    }
}
