//! The course of a card as a picture: a line over an area, then how it is expected to go on, dashed within its range; the
//! rule's limit across, and the end upright. It has no words, since letters of every language stand in the mail around it;
//! its colours are readable on white and on black, and the rest is clear.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

use crate::domain::course::{Ahead, Course, Point};
use crate::domain::time::UnixTime;

/// Wider than a phone shows it, whose points are small.
pub(super) const WIDTH: u32 = 640;
/// As [`WIDTH`].
pub(super) const HEIGHT: u32 = 176;

pub(super) const LINE: [u8; 3] = [47, 129, 247];
const LIMIT: [u8; 3] = [210, 120, 20];
const END: [u8; 3] = [207, 54, 62];
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
    area.line_to(frame.x(last.at), frame.y(0));
    area.line_to(frame.x(first.at), frame.y(0));
    area.close();
    picture.fill_path(&area.finish()?, &paint(LINE, 46), FillRule::Winding, Transform::identity(), None);
    if let Some(ahead) = &course.ahead {
        range(&mut picture, &frame, ahead);
    }
    stroke(&mut picture, &frame.across(0)?, BASE, 2.0, None);
    if let Some(limit) = course.limit {
        stroke(&mut picture, &frame.across(limit)?, LIMIT, 3.0, None);
    }
    if let Some(ahead) = &course.ahead {
        expected(&mut picture, &frame, ahead);
    }
    stroke(&mut picture, &line, LINE, 4.5, None);
    let dot = Rect::from_xywh(frame.x(last.at) - 7.0, frame.y(last.left) - 7.0, 14.0, 14.0)?;
    let dot = PathBuilder::from_oval(dot)?;
    picture.fill_path(&dot, &paint(LINE, 255), FillRule::Winding, Transform::identity(), None);
    encoded(picture).ok()
}

/// Between less and more use than expected.
fn range(picture: &mut Pixmap, frame: &Frame, ahead: &Ahead) {
    let mut band = frame.along(&ahead.high);
    for point in ahead.low.iter().rev() {
        band.line_to(frame.x(point.at), frame.y(point.left));
    }
    band.close();
    if let Some(band) = band.finish() {
        picture.fill_path(&band, &paint(LINE, 64), FillRule::Winding, Transform::identity(), None);
    }
}

/// How it goes on, and the end.
fn expected(picture: &mut Pixmap, frame: &Frame, ahead: &Ahead) {
    if let Some(line) = frame.along(&ahead.likely).finish() {
        stroke(picture, &line, LINE, 4.0, StrokeDash::new(vec![9.0, 9.0], 0.0));
    }
    if let Some(end) = ahead.end.and_then(|end| frame.upright(end)) {
        stroke(picture, &end, END, 4.0, None);
    }
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
        let until = course.ahead.as_ref().map_or(last.at, |ahead| ahead.until.max(last.at));
        let highest = course.points.iter().map(|point| point.left).chain(course.limit).max()?;
        Some(Self {
            from: first.at.secs(),
            secs: until.since(first.at).0.max(1) as f32,
            highest: highest.max(1) as f32,
        })
    }

    fn x(&self, at: UnixTime) -> f32 {
        let share = (at.secs() - self.from) as f32 / self.secs;
        MARGIN + share * (WIDTH as f32 - 2.0 * MARGIN)
    }

    fn y(&self, left: i64) -> f32 {
        let share = left as f32 / self.highest;
        HEIGHT as f32 - MARGIN - share * (HEIGHT as f32 * (1.0 - HEADROOM) - 2.0 * MARGIN)
    }

    fn along(&self, points: &[Point]) -> PathBuilder {
        let mut path = PathBuilder::new();
        for (place, point) in points.iter().enumerate() {
            let (x, y) = (self.x(point.at), self.y(point.left));
            if place == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path
    }

    fn upright(&self, at: UnixTime) -> Option<Path> {
        let mut path = PathBuilder::new();
        path.move_to(self.x(at), MARGIN);
        path.line_to(self.x(at), HEIGHT as f32 - MARGIN);
        path.finish()
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
    use crate::domain::time::Secs;

    fn course(lefts: &[i64], limit: Option<i64>) -> Course {
        let at = |place: usize| UnixTime::clamped(1_797_000_000).plus(Secs::days(i64::try_from(place).unwrap()));
        let points = lefts.iter().enumerate().map(|(place, left)| Point { at: at(place), left: *left }).collect();
        Course { measure: Measure::Data, points, limit, ahead: None }
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

    #[test]
    fn what_is_expected_is_dashed_within_its_range_and_the_end_stands_upright() {
        let mut course = course(&[10, 5], None);
        let last = *course.points.last().unwrap();
        let (half, end) = (last.at.plus(Secs::hours(12)), last.at.plus(Secs::DAY));
        let path = |at, left| vec![last, Point { at, left }];
        let (likely, low, high) = (path(end, 0), path(half, 0), path(end, 4));
        let never = crate::domain::course::Range::default();
        course.ahead = Some(Ahead { until: end, end: Some(end), likely, low, high, at_limit: never, empty: never });
        let drawn = Pixmap::decode_png(&png(&course).unwrap()).unwrap();
        let pixel = |x: u32, y: u32| drawn.pixel(x, y).unwrap();
        let upright = (20..HEIGHT - 20).filter(|y| pixel(WIDTH - 9, *y).red() > 150).count();
        assert!(upright > 120, "the end is upright at the right edge: {upright}");
        // Along the way down, dashes and gaps within the range take turns.
        let strong = |x: u32| (10..HEIGHT - 12).any(|y| pixel(x, y).alpha() > 200);
        let turns = (WIDTH / 2 + 20..WIDTH - 20).map(strong).collect::<Vec<_>>();
        assert!(turns.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 8);
        let range = pixel(WIDTH * 3 / 4, HEIGHT - 60).alpha();
        assert!(range > 0 && range < 200, "{range}");
    }
}
