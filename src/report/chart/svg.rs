//! The drawing backend that plotters draws charts with: SVG in plain pixels, with classes, groups and titles. Knows no
//! data.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
};
use quick_xml::escape::partial_escape as escape;

use super::colours::Ink;

/// plotters works in integers, so it draws on a grid this much finer than pixels, and the backend divides: coordinates
/// have one decimal at most.
pub(super) const GRID: f64 = 10.0;
/// Size of text in pixels where an element says nothing else.
pub(super) const TEXT_SIZE: f64 = 12.0;

/// The elements of a drawing so far.
pub(super) struct Svg {
    size: (u32, u32),
    pub(super) elements: String,
    /// Classes and other attributes of the next shape, such as those of a mark.
    class: String,
    attributes: String,
    title: String,
    /// Coordinates are written relative to this point of the grid.
    origin: BackendCoord,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Svg {
    pub(super) fn new(size: (u32, u32)) -> Self {
        Svg {
            size,
            elements: String::new(),
            class: String::new(),
            attributes: String::new(),
            title: String::new(),
            origin: (0, 0),
        }
    }

    /// Gives the next shape this class and these attributes.
    pub(super) fn describe_next(&mut self, class: &str, attributes: &str) {
        class.clone_into(&mut self.class);
        attributes.clone_into(&mut self.attributes);
    }

    /// Gives the next shape a title.
    pub(super) fn title_next(&mut self, text: &str) {
        text.clone_into(&mut self.title);
    }

    /// Writes coordinates relative to this point from now on, and returns the transformation that moves them there.
    pub(super) fn move_origin(&mut self, origin: BackendCoord) -> String {
        self.origin = origin;
        format!("translate({} {})", pixels(origin.0), pixels(origin.1))
    }

    pub(super) fn open(&mut self, attributes: &str) {
        let _ = writeln!(self.elements, "<g {attributes}>");
    }

    pub(super) fn close(&mut self) {
        self.elements.push_str("</g>\n");
    }

    pub(super) fn title(&mut self, text: &str) {
        let _ = write!(self.elements, "<title>{}</title>", escape(text));
    }

    /// Writes an element with its shape, colour and content.
    fn element(&mut self, name: &str, shape: &str, (paint, colour): (Paint, BackendColor), content: &str) {
        let ink = Ink::of_pen(colour.rgb);
        let class = std::mem::take(&mut self.class);
        let class = ink.map_or(class.clone(), |ink| {
            join(&class, &format!("{}{}", paint.initial(), ink.class()))
        });
        let attributes = std::mem::take(&mut self.attributes);
        let _ = write!(self.elements, "<{name}");
        if !class.is_empty() {
            let _ = write!(self.elements, " class=\"{class}\"");
        }
        let _ = write!(self.elements, "{attributes}{shape}");
        if let Some(ink) = ink {
            let _ = write!(self.elements, " {}=\"{}\"", paint.attribute(), ink.light());
        }
        match paint {
            Paint::Fill => {}
            Paint::Stroke(width) => {
                self.elements.push_str(" fill=\"none\"");
                let pixels = f64::from(width) / GRID;
                // A stroke is a pixel wide unless it says otherwise.
                if (pixels - 1.0).abs() > 1e-9 {
                    let _ = write!(self.elements, " stroke-width=\"{pixels}\"");
                }
            }
        }
        if colour.alpha < 1.0 {
            let _ = write!(self.elements, " opacity=\"{}\"", colour.alpha);
        }
        if Ink::is_dashed(colour.rgb) {
            self.elements.push_str(" stroke-dasharray=\"6 4\"");
        }
        let title = match std::mem::take(&mut self.title) {
            title if title.is_empty() => title,
            title => format!("<title>{}</title>", escape(&title)),
        };
        let content = format!("{title}{content}");
        let end = if content.is_empty() {
            "/>\n".to_owned()
        } else {
            format!(">{content}</{name}>\n")
        };
        self.elements.push_str(&end);
    }

    fn point(&self, (x, y): BackendCoord) -> (f64, f64) {
        (pixels(x - self.origin.0), pixels(y - self.origin.1))
    }

    fn points(&self, path: impl IntoIterator<Item = BackendCoord>) -> String {
        let points = path.into_iter().map(|point| self.point(point));
        let points: Vec<String> = points.map(|(x, y)| format!("{x},{y}")).collect();
        format!(" points=\"{}\"", points.join(" "))
    }
}

/// What a colour is given to.
#[derive(Clone, Copy)]
enum Paint {
    Fill,
    /// A line of this width on the grid.
    Stroke(u32),
}

impl Paint {
    fn of(style: &impl BackendStyle, fill: bool) -> Self {
        if fill {
            Paint::Fill
        } else {
            Paint::Stroke(style.stroke_width())
        }
    }

    fn attribute(self) -> &'static str {
        match self {
            Paint::Fill => "fill",
            Paint::Stroke(_) => "stroke",
        }
    }

    /// What the classes of colours begin with.
    fn initial(self) -> char {
        match self {
            Paint::Fill => 'f',
            Paint::Stroke(_) => 't',
        }
    }
}

fn pixels(grid: i32) -> f64 {
    f64::from(grid) / GRID
}

fn join(one: &str, other: &str) -> String {
    format!("{one} {other}").trim().to_owned()
}

/// ` name="value"`, nothing for 0.
fn unless_zero(name: &str, value: f64) -> String {
    if value == 0.0 {
        String::new()
    } else {
        format!(" {name}=\"{value}\"")
    }
}

impl DrawingBackend for Svg {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, colour: BackendColor) -> Drawn {
        self.draw_rect(point, (point.0 + 1, point.1 + 1), &colour, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let (x, y) = self.point(from);
        let (width, height) = (pixels(to.0 - from.0), pixels(to.1 - from.1));
        let shape = format!(" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        self.element("rect", &shape, (Paint::of(style, fill), style.color()), "");
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let shape = self.points(path);
        self.element("polyline", &shape, (Paint::of(style, false), style.color()), "");
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let (x, y) = self.point(centre);
        let radius = f64::from(radius) / GRID;
        let shape = format!("{}{} r=\"{radius}\"", unless_zero("cx", x), unless_zero("cy", y));
        self.element("circle", &shape, (Paint::of(style, fill), style.color()), "");
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let shape = self.points(path);
        self.element("polygon", &shape, (Paint::Fill, style.color()), "");
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, position: BackendCoord) -> Drawn {
        if text.is_empty() {
            return Ok(());
        }
        let (x, y) = self.point(position);
        let mut shape = format!(" x=\"{x}\" y=\"{y}\" dy=\".35em\"");
        let anchor = match style.anchor().h_pos {
            HPos::Left => None,
            HPos::Center => Some("middle"),
            HPos::Right => Some("end"),
        };
        if let Some(anchor) = anchor {
            let _ = write!(shape, " text-anchor=\"{anchor}\"");
        }
        if style.size() != TEXT_SIZE {
            let _ = write!(shape, " font-size=\"{}\"", style.size());
        }
        if matches!(style.style(), FontStyle::Bold) {
            shape.push_str(" font-weight=\"bold\"");
        }
        self.element("text", &shape, (Paint::Fill, style.color()), &escape(text));
        Ok(())
    }
}
