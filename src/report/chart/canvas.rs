//! Drawing with plotters in pixels: lines, bars, markers, groups and text that stays in its box. Knows no data.

use std::cell::RefCell;
use std::rc::Rc;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::colours::Ink;
use super::svg::{GRID, Svg, TEXT_SIZE};
use crate::report::format::printable;

/// Width for a page, in pixels.
pub(super) const WIDE: f64 = 880.0;
/// Height of a line of text in pixels.
pub(super) const LINE: f64 = 17.0;
/// Size of most text in pixels.
pub(super) const TEXT: f64 = 13.0;
/// Size of ticks and remarks in pixels.
pub(super) const SMALL: f64 = TEXT_SIZE;
/// Number of distinct shapes of [`Canvas::marker`].
const SHAPES: usize = 8;

/// On which side of its position a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// A drawing that becomes SVG. Drawing into memory cannot fail, so plotters' results are not passed on.
pub(super) struct Canvas {
    svg: Rc<RefCell<Svg>>,
    area: DrawingArea<Svg, Shift>,
}

/// The elements of what `paint` draws on a surface of this size, in pixels.
pub(super) fn draw(width: f64, height: f64, paint: impl FnOnce(&Canvas)) -> String {
    let size = (units(width).unsigned_abs(), units(height).unsigned_abs());
    let svg = Rc::new(RefCell::new(Svg::new(size)));
    let area = (&svg).into();
    let canvas = Canvas { svg, area };
    paint(&canvas);
    std::mem::take(&mut canvas.svg.borrow_mut().elements)
}

impl Canvas {
    /// Draws something in a group with these attributes.
    pub(super) fn group(&self, attributes: &str, inside: impl FnOnce()) {
        self.svg.borrow_mut().open(attributes);
        inside();
        self.svg.borrow_mut().close();
    }

    /// The same for a group that is moved in one piece: everything in it is written relative to this point.
    pub(super) fn group_at(&self, at: (f64, f64), attributes: &str, inside: impl FnOnce()) {
        let moved = self.svg.borrow_mut().move_origin(point(at));
        self.group(&format!("{attributes} transform=\"{moved}\""), inside);
        self.svg.borrow_mut().move_origin((0, 0));
    }

    /// A mark that cannot be moved in one piece, with its figure in words. Attributes begin with a space.
    pub(super) fn mark(&self, attributes: &str, title: &str, inside: impl FnOnce()) {
        self.group(&format!("class=\"mark\"{attributes}"), || {
            self.svg.borrow_mut().title(&printable(title));
            inside();
        });
    }

    /// A marker that is a mark of its own, with its figure in words unless it is empty. Attributes begin with a space.
    pub(super) fn dot(&self, at: (f64, f64), attributes: &str, marker: Marker, title: &str) {
        let moved = self.svg.borrow_mut().move_origin(point(at));
        let attributes = format!("{attributes} transform=\"{moved}\"");
        self.svg.borrow_mut().describe_next("mark", &attributes);
        self.svg.borrow_mut().title_next(&printable(title));
        self.marker(at, marker);
        self.svg.borrow_mut().move_origin((0, 0));
    }

    /// Gives the next shape or text this class.
    pub(super) fn class(&self, class: &str) -> &Self {
        self.svg.borrow_mut().describe_next(class, "");
        self
    }

    /// A filled rectangle.
    pub(super) fn rect(&self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        self.shaded_rect(from, to, ink, 1.0);
    }

    /// A filled rectangle that lets what is below shine through.
    pub(super) fn veil(&self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        self.shaded_rect(from, to, ink, 0.25);
    }

    fn shaded_rect(&self, from: (f64, f64), to: (f64, f64), ink: Ink, strength: f64) {
        let style = ink.pen().mix(strength).filled();
        self.area.draw(&Rectangle::new([point(from), point(to)], style)).ok();
    }

    /// A filled shape with this edge that lets what is below shine through, the more the less its `strength` is.
    pub(super) fn area(&self, edge: &[(f64, f64)], ink: Ink, strength: f64) {
        if edge.len() > 2 {
            let edge: Vec<_> = edge.iter().copied().map(point).collect();
            self.area.draw(&Polygon::new(edge, ink.pen().mix(strength))).ok();
        }
    }

    /// A line through points.
    pub(super) fn line(&self, points: &[(f64, f64)], ink: Ink, width: f64) {
        self.path(points, ink.pen(), width);
    }

    /// A dashed line.
    pub(super) fn dashed(&self, points: &[(f64, f64)], ink: Ink) {
        self.path(points, ink.dashed_pen(), 1.2);
    }

    fn path(&self, points: &[(f64, f64)], pen: RGBColor, width: f64) {
        let path: Vec<_> = points.iter().copied().map(point).collect();
        self.area.draw(&PathElement::new(path, stroke(pen, width))).ok();
    }

    /// A line of text whose middle is at `at`.
    pub(super) fn text(&self, at: (f64, f64), text: &str, size: f64, ink: Ink, align: Align) {
        self.styled_text(at, text, size, ink, align, FontStyle::Normal);
    }

    /// Lines of text below each other, each this high, the first in the middle at `at`.
    pub(super) fn lines(&self, at: (f64, f64), lines: &[String], height: f64, size: f64, ink: Ink, align: Align) {
        for (i, line) in lines.iter().enumerate() {
            self.text((at.0, at.1 + height * i as f64), line, size, ink, align);
        }
    }

    /// A heading in bold lines, from this left upper corner on.
    pub(super) fn heading(&self, (left, top): (f64, f64), lines: &[String], height: f64, size: f64) {
        for (i, line) in lines.iter().enumerate() {
            let middle = top + height * (i as f64 + 0.5);
            self.styled_text((left, middle), line, size, Ink::Text, Align::Start, FontStyle::Bold);
        }
    }

    fn styled_text(&self, at: (f64, f64), text: &str, size: f64, ink: Ink, align: Align, style: FontStyle) {
        let anchor = match align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let style = FontDesc::new(FontFamily::SansSerif, size, style)
            .color(&ink.pen())
            .pos(Pos::new(anchor, VPos::Center));
        self.area.draw(&Text::new(printable(text), point(at), style)).ok();
    }

    /// A marker in the middle of a point.
    pub(super) fn marker(&self, (x, y): (f64, f64), marker: Marker) {
        let Marker {
            shape,
            ink,
            radius,
            hollow,
        } = marker;
        let style = if hollow {
            stroke(ink.pen(), 1.2)
        } else {
            ink.pen().filled()
        };
        if shape.is_multiple_of(SHAPES) {
            self.area.draw(&Circle::new(point((x, y)), units(radius), style)).ok();
            return;
        }
        let corners: &[(f64, f64)] = match shape % SHAPES {
            1 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            2 => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            3 => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            4 => &[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)],
            5 => &[(-1.2, 0.0), (0.8, -1.1), (0.8, 1.1)],
            6 => &[(1.2, 0.0), (-0.8, -1.1), (-0.8, 1.1)],
            _ => &[(-1.4, -0.5), (1.4, -0.5), (1.4, 0.5), (-1.4, 0.5)],
        };
        let mut path: Vec<_> = corners
            .iter()
            .map(|(dx, dy)| point((x + dx * radius, y + dy * radius)))
            .collect();
        if hollow {
            path.extend(path.first().copied());
            self.area.draw(&PathElement::new(path, style)).ok();
        } else {
            self.area.draw(&Polygon::new(path, style)).ok();
        }
    }
}

/// A mark whose shape says the same as its colour. A hollow one stands for what is not used, or did not hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Marker {
    pub(super) shape: usize,
    pub(super) ink: Ink,
    pub(super) radius: f64,
    pub(super) hollow: bool,
}

impl Marker {
    /// Around the point that matters most.
    pub(super) const RING: Self = Marker {
        shape: 0,
        ink: Ink::Text,
        radius: 8.0,
        hollow: true,
    };
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a drawing is a few thousand pixels; the cast saturates"
)]
fn units(pixels: f64) -> i32 {
    (pixels * GRID).round() as i32
}

fn stroke(pen: RGBColor, width: f64) -> ShapeStyle {
    pen.stroke_width(units(width).unsigned_abs())
}

/// The most that a text is wide in the fonts that browsers take for sans-serif, in pixels.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        ' ' | '\u{a0}' | '·' | 'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | 't' | 'f' | 'r'
        | '(' | ')' | '[' | ']' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '–' => 1.0,
        c if c.is_ascii_uppercase() => 0.75,
        c if c.is_ascii() => 0.63,
        c if u32::from(c) < 0x1100 => 0.75,
        _ => 1.1,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// The text in lines no wider than `width`, broken at spaces (not at no-break spaces), and within a word only where it is too long for a line.
pub(super) fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let joined = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if text_width(&joined, size) <= width {
            line = joined;
            continue;
        }
        lines.extend((!line.is_empty()).then(|| std::mem::take(&mut line)));
        for c in word.chars() {
            if !line.is_empty() && text_width(&line, size) + text_width(&c.to_string(), size) > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines
}

/// The positions of about `count` round values from 0 to `max`.
pub(super) fn ticks(max: f64, count: usize) -> Vec<f64> {
    use plotters::coord::ranged1d::Ranged;
    use plotters::coord::types::RangedCoordf64;
    let range: RangedCoordf64 = (0.0..max).into();
    range.key_points(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_fit_and_lose_nothing() {
        let text = "two processes, one partition each averyveryverylongwordthatfitsinnoline";
        let lines = wrap(text, 13.0, 120.0);
        assert!(lines.iter().all(|l| text_width(l, 13.0) <= 120.0), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(wrap("", 13.0, 120.0), Vec::<String>::new());
    }

    #[test]
    fn a_drawing_keeps_text_as_text() {
        let svg = draw(100.0, 50.0, |c| {
            c.text((5.0, 25.0), "<b>&", TEXT, Ink::Text, Align::Start);
        });
        assert!(
            svg.contains("&lt;b&gt;&amp;") && svg.contains("class=\"ftext\""),
            "{svg}"
        );
    }

    #[test]
    fn ticks_are_round_and_start_at_zero() {
        assert_eq!(ticks(1.05, 6), [0.0, 0.2, 0.4, 0.600_000_000_000_000_1, 0.8, 1.0]);
    }
}
