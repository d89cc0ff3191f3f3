//! The colours of all charts, light and dark. Each is drawn in its light colour with a class, so that a style sheet turns
//! it dark; a viewer without style sheets still shows the light one.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// What a mark is painted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ink {
    Text,
    #[default]
    Muted,
    Grid,
    Surface,
    /// A configuration's colour; slots repeat after [`SERIES`].
    Series(usize),
    /// Neutral, for what belongs to no configuration; repeats after [`SHADES`].
    Shade(usize),
    /// The colour that the group around it has.
    OfGroup,
}

/// Number of distinct colours of configurations.
const SERIES: usize = 8;
/// Number of distinct neutral shades.
const SHADES: usize = 4;

/// Class, light and dark colour. The configurations' colours follow Okabe and Ito's, which people with colour-blindness
/// tell apart, darkened or lightened to a contrast of at least 4.5 with the surface.
const COLOURS: [(&str, u32, u32); 4 + SERIES + SHADES] = [
    ("text", 0x1f_23_28, 0xe6_ed_f3),
    ("muted", 0x57_60_6a, 0x9d_a7_b3),
    ("grid", 0xd8_de_e4, 0x34_3b_43),
    ("surface", 0xff_ff_ff, 0x10_15_1b),
    ("s0", 0x00_72_b2, 0x5a_ae_ea),
    ("s1", 0xc4_4f_00, 0xff_91_54),
    ("s2", 0x00_80_5c, 0x35_c9_9c),
    ("s3", 0xa8_4d_87, 0xe8_9f_cb),
    ("s4", 0x8a_61_00, 0xe9_b5_3f),
    ("s5", 0x51_46_a8, 0xab_a0_f5),
    ("s6", 0x4a_50_57, 0xc3_c9_d0),
    ("s7", 0x87_48_38, 0xd9_a2_8d),
    ("n0", 0xe1_e6_eb, 0x2b_32_3a),
    ("n1", 0xc8_d0_d8, 0x3b_44_4d),
    ("n2", 0xad_b7_c2, 0x4c_56_61),
    ("n3", 0x92_9e_ab, 0x5e_69_75),
];

impl Ink {
    /// Its place in [`COLOURS`], beyond them for the colour of the group.
    fn index(self) -> usize {
        match self {
            Ink::Text => 0,
            Ink::Muted => 1,
            Ink::Grid => 2,
            Ink::Surface => 3,
            Ink::Series(slot) => 4 + slot % SERIES,
            Ink::Shade(shade) => 4 + SERIES + shade % SHADES,
            Ink::OfGroup => COLOURS.len(),
        }
    }

    /// What plotters carries to the backend: the number of the colour as its red, so that nothing is searched for.
    pub(super) fn pen(self) -> RGBColor {
        RGBColor(u8::try_from(self.index()).unwrap_or(u8::MAX), 0, 0)
    }

    /// The same for a dashed line.
    pub(super) fn dashed_pen(self) -> RGBColor {
        RGBColor(self.pen().0, 1, 0)
    }

    pub(super) fn is_dashed((_, dashed, _): (u8, u8, u8)) -> bool {
        dashed == 1
    }

    /// The colour that a pen stands for; `None` for the one of the group.
    pub(super) fn of_pen((number, _, _): (u8, u8, u8)) -> Option<Colour> {
        COLOURS
            .get(usize::from(number))
            .map(|(class, light, _)| Colour { class, light: *light })
    }

    /// The class and the attribute that give everything in a group this colour.
    pub(super) fn group_fill(self) -> (String, String) {
        let (class, light, _) = COLOURS[self.index()];
        (format!("f{class}"), format!("fill=\"#{light:06x}\""))
    }
}

/// A colour with its class, without what it is given to.
#[derive(Clone, Copy)]
pub(super) struct Colour {
    class: &'static str,
    light: u32,
}

impl Colour {
    pub(super) fn class(self) -> &'static str {
        self.class
    }

    pub(super) fn light(self) -> String {
        format!("#{:06x}", self.light)
    }
}

/// The style sheet of the charts: variables with the light and dark colours, and the classes that use them.
pub(crate) fn style_sheet() -> String {
    let variables = |dark: bool| {
        COLOURS.iter().fold(String::new(), |mut out, (class, light, night)| {
            let _ = write!(out, "--{class}:#{:06x};", if dark { night } else { light });
            out
        })
    };
    let classes = COLOURS.iter().fold(String::new(), |mut out, (class, _, _)| {
        let _ = write!(
            out,
            ".f{class}{{fill:var(--{class})}}.t{class}{{stroke:var(--{class})}}"
        );
        out
    });
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{@media screen{{:root{{{}}}}}}}\n{classes}\n",
        variables(false),
        variables(true)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(colour: u32) -> f64 {
        let [_, red, green, blue] = colour.to_be_bytes();
        let linear = |byte: u8| {
            let c = f64::from(byte) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Inks that contrast too little with another one, in light or in dark.
    fn faint(inks: impl Iterator<Item = Ink>, beside: Ink) -> Vec<&'static str> {
        let (_, light, dark) = COLOURS[beside.index()];
        let found = inks.map(|ink| COLOURS[ink.index()]);
        let faint = found.filter(|ink| contrast(ink.1, light).min(contrast(ink.2, dark)) < 4.5);
        faint.map(|(class, _, _)| class).collect()
    }

    #[test]
    fn text_and_configurations_contrast_with_the_surface_and_text_with_every_shade() {
        let strong = [Ink::Text, Ink::Muted].into_iter().chain((0..SERIES).map(Ink::Series));
        assert_eq!(faint(strong, Ink::Surface), [""; 0]);
        assert_eq!(faint((0..SHADES).map(Ink::Shade), Ink::Text), [""; 0]);
        assert_eq!(faint([Ink::Grid].into_iter(), Ink::Surface), ["grid"]);
    }
}
