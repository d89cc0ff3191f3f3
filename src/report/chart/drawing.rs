//! A chart with its two drawings, and the file in which the wide one stands alone.

use quick_xml::escape::escape;

use super::canvas::{LINE, WIDE, draw, wrap};
use super::colours::{Ink, style_sheet};
use super::spec::{ChartSpec, Kind};
use super::svg::TEXT_SIZE;
use super::{grid, rows};
use crate::report::format::printable;
use crate::report::table::Table;

/// Width for a telephone and for half a page, in pixels.
const NARROW: f64 = 400.0;
const TITLE: f64 = 17.0;
const TITLE_LINE: f64 = LINE + 6.0;
const MARGIN: f64 = 12.0;

/// A chart of the report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    pub(crate) spec: ChartSpec,
    /// The figures that are drawn.
    pub(crate) table: Table,
    /// The drawing for a wide page that brings title and style sheet itself.
    pub(crate) wide: String,
    /// The same for a telephone.
    pub(crate) narrow: String,
    /// The wide drawing as a file of its own, with its title; light or dark as the viewer prefers.
    pub(crate) svg: String,
}

impl Chart {
    /// Draws a chart whose table is made from what is drawn.
    pub(super) fn new(spec: ChartSpec) -> Self {
        let table = spec.table();
        Chart::with_table(spec, table)
    }

    pub(super) fn with_table(mut spec: ChartSpec, table: Table) -> Self {
        // A percentage does not break between its figure and its sign.
        spec.description = spec.description.replace(" %", "\u{a0}%");
        let render = |width| match spec.kind {
            Kind::Rows => rows::draw_rows(&spec, width),
            Kind::Lines { columns, aspect } => grid::draw_grid(&spec, width, columns, aspect),
        };
        let (height, wide) = render(WIDE);
        let (narrow_height, narrow) = render(NARROW);
        Chart {
            svg: standing_alone(&spec, height, &wide),
            wide: in_page(&spec, "wide", (WIDE, height), &wide),
            narrow: in_page(&spec, "narrow", (NARROW, narrow_height), &narrow),
            spec,
            table,
        }
    }

    /// Name of its file, such as `throughput.svg`.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.svg", self.spec.name)
    }
}

/// The drawing in a page, which brings its title and description.
fn in_page(spec: &ChartSpec, class: &str, (width, height): (f64, f64), drawing: &str) -> String {
    let name = spec.name;
    let labels = format!("aria-labelledby=\"{name}-title\" aria-describedby=\"{name}-text\"");
    root(
        &format!("class=\"chart {class}\" {labels}"),
        (width, 0.0, height),
        drawing,
    )
}

/// The drawing with what the page would bring: title, description and style sheet.
fn standing_alone(spec: &ChartSpec, height: f64, drawing: &str) -> String {
    let lines = wrap(&spec.title, TITLE, WIDE - 2.0 * MARGIN);
    let above = lines.len() as f64 * TITLE_LINE;
    let heading = draw(WIDE, above, |canvas| {
        canvas.heading((MARGIN, 5.0), &lines, TITLE_LINE, TITLE);
    });
    let [title, description] = [&spec.title, &spec.description].map(|text| printable(text));
    let (class, fill) = Ink::Surface.group_fill();
    let complete = format!(
        "<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>{}</style>\n\
         <rect class=\"{class}\" {fill} y=\"-{above}\" width=\"100%\" height=\"100%\"/>\n\
         <g transform=\"translate(0 -{above})\">\n{heading}</g>\n{drawing}",
        escape(&*title),
        escape(&*description),
        style_sheet(),
    );
    let attributes = "xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" aria-labelledby=\"title desc\"";
    root(attributes, (WIDE, above, height), &complete)
}

/// A drawing's outermost element, with space for a title above it.
fn root(attributes: &str, (width, above, below): (f64, f64, f64), content: &str) -> String {
    let (top, height) = (if above > 0.0 { -above } else { 0.0 }, (above + below).ceil());
    format!(
        "<svg {attributes} role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 {top} {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"{TEXT_SIZE}\">\n{content}</svg>\n"
    )
}
