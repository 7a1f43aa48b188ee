//! The course of a card as a picture: a line over an area, the rule's limit across it. It has no words, since letters of
//! every language stand in the mail around it; its colours are readable on white and on black, and the rest is clear.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

use crate::domain::course::{Course, Point};

/// Wider than a phone shows it, whose points are small.
pub(super) const WIDTH: u32 = 640;
/// As [`WIDTH`].
pub(super) const HEIGHT: u32 = 176;

pub(super) const LINE: [u8; 3] = [47, 129, 247];
const LIMIT: [u8; 3] = [210, 120, 20];
pub(super) const BASE: [u8; 3] = [139, 148, 158];
/// Room for the width of lines at the edges.
const MARGIN: f32 = 9.0;
/// How far the highest point stays below the upper edge, as a share of the height.
const HEADROOM: f32 = 0.08;

/// The picture as PNG; none where there is nothing to draw. The same course gives the same bytes.
pub(super) fn png(course: &Course) -> Option<Vec<u8>> {
    let mut picture = Pixmap::new(WIDTH, HEIGHT)?;
    let frame = Frame::of(course)?;
    let line = frame.along(&course.points).finish()?;
    let mut area = frame.along(&course.points);
    let (first, last) = (course.points.first()?, course.points.last()?);
    area.line_to(frame.x(last), frame.y(0));
    area.line_to(frame.x(first), frame.y(0));
    area.close();
    picture.fill_path(&area.finish()?, &paint(LINE, 46), FillRule::Winding, Transform::identity(), None);
    stroke(&mut picture, &frame.across(0)?, BASE, 2.0, None);
    if let Some(limit) = course.limit {
        stroke(&mut picture, &frame.across(limit)?, LIMIT, 3.0, StrokeDash::new(vec![12.0, 9.0], 0.0));
    }
    stroke(&mut picture, &line, LINE, 4.5, None);
    let dot = Rect::from_xywh(frame.x(last) - 7.0, frame.y(last.left) - 7.0, 14.0, 14.0)?;
    let dot = PathBuilder::from_oval(dot)?;
    picture.fill_path(&dot, &paint(LINE, 255), FillRule::Winding, Transform::identity(), None);
    encoded(picture).ok()
}

/// Packed fast rather than small: what the record writes waits meanwhile.
pub(super) fn encoded(picture: Pixmap) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.take_demultiplied())?;
    writer.finish()?;
    Ok(bytes)
}

/// Where instants and amounts lie in the picture.
struct Frame {
    from: i64,
    secs: f32,
    highest: f32,
}

impl Frame {
    fn of(course: &Course) -> Option<Self> {
        let (first, last) = (course.points.first()?, course.points.last()?);
        let highest = course.points.iter().map(|point| point.left).chain(course.limit).max()?;
        Some(Self {
            from: first.at.secs(),
            secs: last.at.since(first.at).0.max(1) as f32,
            highest: highest.max(1) as f32,
        })
    }

    fn x(&self, point: &Point) -> f32 {
        let share = (point.at.secs() - self.from) as f32 / self.secs;
        MARGIN + share * (WIDTH as f32 - 2.0 * MARGIN)
    }

    fn y(&self, left: i64) -> f32 {
        let share = left as f32 / self.highest;
        HEIGHT as f32 - MARGIN - share * (HEIGHT as f32 * (1.0 - HEADROOM) - 2.0 * MARGIN)
    }

    fn along(&self, points: &[Point]) -> PathBuilder {
        let mut path = PathBuilder::new();
        for (place, point) in points.iter().enumerate() {
            let (x, y) = (self.x(point), self.y(point.left));
            if place == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path
    }

    fn across(&self, left: i64) -> Option<Path> {
        let mut path = PathBuilder::new();
        path.move_to(MARGIN, self.y(left));
        path.line_to(WIDTH as f32 - MARGIN, self.y(left));
        path.finish()
    }
}

pub(super) fn paint(colour: [u8; 3], opacity: u8) -> Paint<'static> {
    let [red, green, blue] = colour;
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(Color::from_rgba8(red, green, blue, opacity));
    paint
}

pub(super) fn stroke(picture: &mut Pixmap, path: &Path, colour: [u8; 3], width: f32, dash: Option<StrokeDash>) {
    let stroke = Stroke { width, dash, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
    picture.stroke_path(path, &paint(colour, 255), &stroke, Transform::identity(), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::Measure;
    use crate::domain::time::{Secs, UnixTime};

    fn course(lefts: &[i64], limit: Option<i64>) -> Course {
        let at = |place: usize| UnixTime::clamped(1_797_000_000).plus(Secs::days(i64::try_from(place).unwrap()));
        let points = lefts.iter().enumerate().map(|(place, left)| Point { at: at(place), left: *left }).collect();
        Course { measure: Measure::Data, points, limit }
    }

    #[test]
    fn a_course_becomes_a_small_picture_and_always_the_same() {
        for lefts in [&[3, 2, 1][..], &[5, 5], &[i64::MAX, 0, i64::MAX]] {
            for limit in [None, Some(2), Some(i64::MAX)] {
                let course = course(lefts, limit);
                let drawn = png(&course).unwrap();
                assert!(drawn.starts_with(b"\x89PNG") && drawn.len() < 24 << 10, "{} bytes", drawn.len());
                assert_eq!(Some(drawn), png(&course));
            }
        }
        assert_eq!(png(&course(&[], None)), None);
    }

    #[test]
    fn the_line_comes_down_and_the_limit_lies_across() {
        let drawn = Pixmap::decode_png(&png(&course(&[10, 0], Some(5))).unwrap()).unwrap();
        let at = |x: u32, y: u32| drawn.pixel(x, y).unwrap().alpha();
        assert_eq!(at(WIDTH - 40, 40), 0, "nothing is above the end of the line");
        assert!(at(40, 130) > 0, "the area is below its beginning");
        let red = |x: u32, y: u32| drawn.pixel(x, y).unwrap().red() > 150;
        let middle = (WIDTH - 200..WIDTH - 140).flat_map(|x| (0..HEIGHT).map(move |y| (x, y)));
        let middle = middle.filter(|(x, y)| red(*x, *y)).count();
        assert!(middle >= 60, "the limit crosses the clear part");
    }
}
