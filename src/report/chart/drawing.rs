//! A chart, and the drawings that it consists of: one for each width, and one that stands alone.

use quick_xml::escape::escape;

use super::canvas::{Canvas, LINE, wrap};
use super::colours::style_sheet;
use crate::report::format::printable;
use crate::report::table::Table;

/// A chart of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chart {
    /// Names its file and its place in a page.
    pub(crate) name: &'static str,
    /// What it is about, in a few words.
    pub(crate) title: String,
    /// What it shows, for a reader who cannot see it.
    pub(crate) description: String,
    /// The drawing as a file of its own, with its title; light or dark as the viewer prefers.
    pub(crate) svg: String,
    /// The figures that are drawn.
    pub(crate) table: Table,
    /// The drawing for a wide page that brings title and style sheet itself.
    pub(crate) wide: String,
    /// The same for a telephone.
    pub(crate) narrow: String,
}

/// Something that can be drawn in any width.
pub(super) trait Drawing {
    /// The SVG.
    fn render(&self, frame: Frame) -> String;
}

impl Chart {
    /// Renders a drawing in every width.
    pub(super) fn new(
        name: &'static str,
        title: &str,
        description: &str,
        table: Table,
        drawing: &impl Drawing,
    ) -> Self {
        // A percentage does not break between its figure and its sign.
        let description = description.replace(" %", "\u{a0}%");
        let render = |width, title| drawing.render(Frame { width, title });
        Chart {
            name,
            title: title.to_owned(),
            svg: standing_alone(&render(Frame::WIDE, Some(title)), title, &description),
            description,
            table,
            wide: render(Frame::WIDE, None),
            narrow: render(Frame::NARROW, None),
        }
    }

    /// Name of its file, such as `throughput.svg`.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.svg", self.name)
    }
}

/// Adds to a drawing what the page would bring: title, description and style sheet.
fn standing_alone(svg: &str, title: &str, description: &str) -> String {
    let Some((tag, rest)) = svg.split_once('>') else {
        return svg.to_owned();
    };
    let [title, description] = [title, description].map(printable);
    format!(
        "{tag} role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n\
         <desc id=\"desc\">{}</desc>\n<style>{}</style>{rest}",
        escape(&*title),
        escape(&*description),
        style_sheet(),
    )
}

/// A drawing's width and, where it stands alone, its title.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) width: f64,
    pub(super) title: Option<&'a str>,
}

impl Frame<'_> {
    /// Width for a page, in pixels.
    pub(super) const WIDE: f64 = 880.0;
    /// Width for a telephone, in pixels.
    const NARROW: f64 = 340.0;
    const TITLE: f64 = 17.0;
    const TITLE_LINE: f64 = LINE + 6.0;

    fn title_lines(&self, width: f64) -> Vec<String> {
        self.title
            .map_or_else(Vec::new, |title| wrap(title, Self::TITLE, width))
    }

    pub(super) fn title_height(&self, width: f64) -> f64 {
        self.title_lines(width).len() as f64 * Self::TITLE_LINE
    }

    /// Draws the title, if there is one, and returns where it ends.
    pub(super) fn draw_title(&self, canvas: &Canvas, left: f64, width: f64) -> f64 {
        let lines = self.title_lines(width);
        canvas.heading((left, 5.0), &lines, Self::TITLE_LINE, Self::TITLE);
        self.title_height(width)
    }
}
