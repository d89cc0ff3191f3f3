//! A document as one HTML page that asks nobody: for a wide screen, a telephone, paper, dark mode, a keyboard
//! and a screen reader. The macro escapes all text.

mod elements;
mod page;

pub(super) use self::page::render;
