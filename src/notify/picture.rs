//! A picture of cards over a time: what each had, what was bought, and when its trip is. As SVG with names, and as PNG with
//! the same lines and no words, since letters need fonts that a machine may not have.

use std::fmt::Write as _;

use tiny_skia::{FillRule, Path, PathBuilder, Pixmap, Rect, StrokeDash, Transform};

use super::chart::{self, paint, stroke};
use crate::domain::time::UnixTime;

/// As wide as a page shows it.
const WIDTH: f32 = 960.0;
/// One card's part of the height.
const LANE: f32 = 92.0;
/// Room for names.
const LEFT: f32 = 150.0;
/// Room around.
const MARGIN: f32 = 16.0;
/// Room for the dates.
const HEAD: f32 = 34.0;
/// How much of a lane the highest point takes.
const HEADROOM: f32 = 0.72;
/// More lanes than this make no picture.
const LANES_MAX: usize = 60;

const BOUGHT: [u8; 3] = [26, 127, 55];
const TRIP: [u8; 3] = [130, 80, 223];
const RUN_DRY: [u8; 3] = [207, 34, 46];

/// One card's part.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The card.
    pub name: String,
    /// What there was at most, in words.
    pub most: String,
    /// What was left, oldest first.
    pub points: Vec<(UnixTime, i64)>,
    /// When what was bought.
    pub bought: Vec<(UnixTime, String)>,
    /// From when until when it travels.
    pub trip: Option<(UnixTime, UnixTime)>,
}

/// Cards over a time.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What it shows, in a line.
    pub title: String,
    /// The first instant.
    pub from: UnixTime,
    /// The last.
    pub to: UnixTime,
    /// The beginnings of months, with their names.
    pub months: Vec<(UnixTime, String)>,
    /// The cards, from above.
    pub lanes: Vec<Lane>,
}

impl Picture {
    /// As SVG.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (width, height) = (WIDTH, self.height());
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
            escaped(&self.title)
        );
        for (at, name) in &self.months {
            let x = self.x(*at);
            // Writing to a string does not fail.
            let _ = writeln!(
                out,
                "<path d=\"M{x:.1} {HEAD}V{height}\" stroke=\"{}\" stroke-width=\"1\"/><text x=\"{:.1}\" y=\"20\" fill=\"#57606a\">{}</text>",
                hex(chart::BASE),
                x + 4.0,
                escaped(name)
            );
        }
        for (place, lane) in self.shown() {
            self.svg_lane(place, lane, &mut out);
        }
        out.push_str("</svg>\n");
        out
    }

    fn svg_lane(&self, place: usize, lane: &Lane, out: &mut String) {
        let (base, top) = (self.base(place), self.base(place) - LANE * HEADROOM);
        let _ = writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"{:.1}\" font-weight=\"bold\" fill=\"#24292f\">{}</text><text x=\"{MARGIN}\" y=\"{:.1}\" fill=\"#57606a\">{}</text>",
            base - 24.0,
            escaped(&lane.name),
            base - 8.0,
            escaped(&lane.most)
        );
        if let Some((from, to)) = self.trip(lane) {
            let _ = writeln!(
                out,
                "<rect x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\" fill-opacity=\"0.10\"><title>trip</title></rect>",
                to - from,
                base - top,
                hex(TRIP)
            );
        }
        let points = self.points(place, lane);
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
            let line = line.join("L");
            let _ = writeln!(
                out,
                "<path d=\"M{:.1} {base:.1}L{line}L{:.1} {base:.1}Z\" fill=\"{2}\" fill-opacity=\"0.18\"/><path d=\"M{line}\" fill=\"none\" stroke=\"{2}\" stroke-width=\"2\"/>",
                first.0,
                last.0,
                hex(chart::LINE)
            );
        }
        for (from, to) in self.dry(lane) {
            let _ = writeln!(
                out,
                "<path d=\"M{from:.1} {base:.1}H{to:.1}\" stroke=\"{}\" stroke-width=\"4\"><title>nothing left</title></path>",
                hex(RUN_DRY)
            );
        }
        let _ = writeln!(out, "<path d=\"M{LEFT} {base:.1}H{:.1}\" stroke=\"{}\"/>", WIDTH - MARGIN, hex(chart::BASE));
        for (at, what) in &lane.bought {
            let x = self.x(*at);
            let _ = writeln!(
                out,
                "<g stroke=\"{0}\" fill=\"{0}\"><path d=\"M{x:.1} {base:.1}V{top:.1}\" stroke-dasharray=\"2 3\"/><circle cx=\"{x:.1}\" cy=\"{top:.1}\" r=\"4\"/><title>{1}</title></g>",
                hex(BOUGHT),
                escaped(what)
            );
        }
    }

    /// As PNG; none where there is nothing to draw.
    #[must_use]
    pub fn to_png(&self) -> Option<Vec<u8>> {
        let mut picture = Pixmap::new(WIDTH as u32, self.height() as u32)?;
        picture.fill(tiny_skia::Color::WHITE);
        for (at, _) in &self.months {
            stroke(&mut picture, &line(self.x(*at), HEAD, self.x(*at), self.height())?, chart::BASE, 1.0, None);
        }
        for (place, lane) in self.shown() {
            self.png_lane(place, lane, &mut picture)?;
        }
        chart::encoded(picture).ok()
    }

    fn png_lane(&self, place: usize, lane: &Lane, picture: &mut Pixmap) -> Option<()> {
        let (base, top) = (self.base(place), self.base(place) - LANE * HEADROOM);
        if let Some((from, to)) = self.trip(lane) {
            let band = Rect::from_ltrb(from, top, to, base).map(PathBuilder::from_rect);
            fill(picture, band.as_ref(), TRIP, 26);
        }
        let points = self.points(place, lane);
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let mut area = PathBuilder::new();
            area.move_to(first.0, base);
            let mut along = PathBuilder::new();
            along.move_to(first.0, first.1);
            for (x, y) in &points {
                area.line_to(*x, *y);
                along.line_to(*x, *y);
            }
            area.line_to(last.0, base);
            area.close();
            fill(picture, area.finish().as_ref(), chart::LINE, 46);
            if let Some(along) = along.finish() {
                stroke(picture, &along, chart::LINE, 2.0, None);
            }
        }
        stroke(picture, &line(LEFT, base, WIDTH - MARGIN, base)?, chart::BASE, 1.0, None);
        for (from, to) in self.dry(lane) {
            stroke(picture, &line(from, base, to.max(from + 1.0), base)?, RUN_DRY, 4.0, None);
        }
        for (at, _) in &lane.bought {
            let x = self.x(*at);
            stroke(picture, &line(x, base, x, top)?, BOUGHT, 1.0, StrokeDash::new(vec![2.0, 3.0], 0.0));
            fill(picture, PathBuilder::from_circle(x, top, 4.0).as_ref(), BOUGHT, 255);
        }
        Some(())
    }

    fn shown(&self) -> impl Iterator<Item = (usize, &Lane)> {
        self.lanes.iter().take(LANES_MAX).enumerate()
    }

    fn height(&self) -> f32 {
        HEAD + MARGIN + LANE * self.lanes.len().min(LANES_MAX) as f32
    }

    fn base(&self, place: usize) -> f32 {
        HEAD + LANE * (place + 1) as f32
    }

    fn x(&self, at: UnixTime) -> f32 {
        let whole = self.to.since(self.from).0.max(1) as f32;
        let share = at.since(self.from).0 as f32 / whole;
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - MARGIN - LEFT)
    }

    fn points(&self, place: usize, lane: &Lane) -> Vec<(f32, f32)> {
        let most = lane.points.iter().map(|(_, left)| *left).max().unwrap_or(0).max(1) as f32;
        let y = |left: i64| self.base(place) - left.max(0) as f32 / most * LANE * HEADROOM;
        lane.points.iter().map(|(at, left)| (self.x(*at), y(*left))).collect()
    }

    fn trip(&self, lane: &Lane) -> Option<(f32, f32)> {
        let (from, to) = lane.trip.filter(|(from, to)| *to > self.from && *from < self.to)?;
        Some((self.x(from), self.x(to)))
    }

    /// Times in which nothing was left.
    fn dry(&self, lane: &Lane) -> Vec<(f32, f32)> {
        let pairs = lane.points.iter().zip(lane.points.iter().skip(1));
        let dry = pairs.filter(|((_, before), (_, after))| *before <= 0 && *after <= 0);
        dry.map(|((from, _), (to, _))| (self.x(*from), self.x(*to))).collect()
    }
}

fn line(from_x: f32, from_y: f32, to_x: f32, to_y: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.move_to(from_x, from_y);
    path.line_to(to_x, to_y);
    path.finish()
}

fn fill(picture: &mut Pixmap, path: Option<&Path>, colour: [u8; 3], opacity: u8) {
    if let Some(path) = path {
        picture.fill_path(path, &paint(colour, opacity), FillRule::Winding, Transform::identity(), None);
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Names come from files and operators.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Secs;

    fn picture(name: &str) -> Picture {
        let from = UnixTime::clamped(1_797_000_000);
        let at = |days: i64| from.plus(Secs::days(days));
        let lane = Lane {
            name: name.to_owned(),
            most: "1 GB".to_owned(),
            points: vec![(at(0), 1_000), (at(10), 0), (at(12), 0), (at(12), 1_000), (at(30), 100)],
            bought: vec![(at(12), "a plan for 5 USD".to_owned())],
            trip: Some((at(5), at(40))),
        };
        let months = vec![(at(9), "2026-12".to_owned())];
        Picture { title: "three <weeks>".to_owned(), from, to: at(30), months, lanes: vec![lane] }
    }

    #[test]
    fn both_forms_show_the_same_and_always_the_same() {
        let drawn = picture("canada").to_png().unwrap();
        assert!(drawn.starts_with(b"\x89PNG") && drawn.len() < 60 << 10, "{} bytes", drawn.len());
        assert_eq!(Some(drawn), picture("canada").to_png());
        let svg = picture("canada").to_svg();
        for part in ["three &lt;weeks&gt;", ">canada<", "a plan for 5 USD", "nothing left", ">trip<", "2026-12"] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }

    #[test]
    fn names_from_outside_are_no_markup() {
        let svg = picture("<script>&\"").to_svg();
        assert!(svg.contains("&lt;script&gt;&amp;&quot;") && !svg.contains("<script"));
    }

    #[test]
    fn nothing_to_show_is_an_empty_picture() {
        let empty = Picture { lanes: Vec::new(), ..picture("x") };
        assert!(empty.to_png().is_some() && empty.to_svg().ends_with("</svg>\n"));
        let still = Picture { to: UnixTime::clamped(1_797_000_000), ..picture("x") };
        assert!(still.to_png().is_some());
    }
}
