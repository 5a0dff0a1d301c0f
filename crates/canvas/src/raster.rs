//! The picture of the paper as pixels: for the exported PNG, for what can change no more, and for the hashes of tests. The page
//! draws the same areas by its own means; the two differ in how the rim of an area is blended and in nothing else.

use crate::ink::{self, Outline};
use tiny_skia::{
    BlendMode, Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint, PremultipliedColorU8, Rect,
    Stroke as Pen, Transform,
};
use visavis_wire::paper::{CELL_COLUMNS, CELL_ROWS, Fill, Form, Op, OpKind, PAPER_HEIGHT, PAPER_WIDTH, Shape, Stroke, cells};

/// The colour of the sheet in an exported picture.
pub const SHEET: u32 = 0x00FE_FCF7;

/// What is on the paper, without the paper: one pixel for each square unit, transparent where nothing is.
#[derive(Clone, Debug)]
pub struct Picture(Pixmap);

/// A picture could not be written as PNG; it does not happen for want of memory or disk.
#[derive(Debug, thiserror::Error)]
#[error("the picture could not be encoded: {0}")]
pub struct EncodeError(#[from] png::EncodingError);

struct InUnits(PathBuilder);

impl Outline for InUnits {
    fn move_to(&mut self, x: f64, y: f64) {
        self.0.move_to(x as f32, y as f32);
    }

    fn line_to(&mut self, x: f64, y: f64) {
        self.0.line_to(x as f32, y as f32);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

fn opaque(colour: u32) -> Color {
    let [_, red, green, blue] = colour.to_be_bytes();
    Color::from_rgba8(red, green, blue, 255)
}

/// With a pen of this colour, or one that rubs out.
fn paint(colour: Option<u32>) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    match colour {
        Some(colour) => paint.set_color(opaque(colour)),
        None => paint.blend_mode = BlendMode::DestinationOut,
    }
    paint
}

/// From tenths of a unit to pixels.
fn scale() -> Transform {
    let by = f32::from(CELL_COLUMNS) / f32::from(PAPER_WIDTH);
    Transform::from_scale(by, by)
}

impl Picture {
    /// `None` when there is no memory for it.
    pub fn blank() -> Option<Self> {
        Pixmap::new(u32::from(CELL_COLUMNS), u32::from(CELL_ROWS)).map(Self)
    }

    /// Draws what is shown of the paper, in order; a clear wipes what was there.
    pub fn draw(&mut self, op: &Op) {
        match &op.kind {
            OpKind::Stroke(stroke) => self.stroke(stroke),
            OpKind::Shape(shape) => self.shape(shape),
            OpKind::Fill(fill) => self.fill(fill),
            OpKind::Clear => self.wipe(),
            OpKind::Undo { .. } => {}
        }
    }

    pub fn wipe(&mut self) {
        self.0.fill(Color::TRANSPARENT);
    }

    fn stroke(&mut self, stroke: &Stroke) {
        let mut path = InUnits(PathBuilder::new());
        ink::outline(&mut path, &ink::chain(&stroke.points, stroke.size));
        if let Some(path) = path.0.finish() {
            self.0.fill_path(&path, &paint(stroke.colour), FillRule::Winding, scale(), None);
        }
    }

    fn shape(&mut self, shape: &Shape) {
        let Some(path) = shape_path(shape) else { return };
        let pen = Pen { width: f32::from(shape.size), line_cap: LineCap::Round, line_join: LineJoin::Round, ..Pen::default() };
        self.0.stroke_path(&path, &paint(Some(shape.colour)), &pen, scale(), None);
    }

    fn fill(&mut self, fill: &Fill) {
        let colour = opaque(fill.colour).premultiply().to_color_u8();
        let pixels: &mut [PremultipliedColorU8] = self.0.pixels_mut();
        for (column, row, length) in cells(&fill.runs) {
            let from = usize::from(row) * usize::from(CELL_COLUMNS) + usize::from(column);
            if let Some(run) = pixels.get_mut(from..from + usize::from(length)) {
                run.fill(colour);
            }
        }
    }

    fn pixels(&self, sheet: Option<u32>) -> Vec<u8> {
        match sheet {
            Some(sheet) => {
                let mut ground = self.0.clone();
                ground.fill(opaque(sheet));
                ground.draw_pixmap(0, 0, self.0.as_ref(), &PixmapPaint::default(), Transform::identity(), None);
                ground.data().to_vec()
            }
            None => self
                .0
                .pixels()
                .iter()
                .flat_map(|pixel| {
                    let plain = pixel.demultiply();
                    [plain.red(), plain.green(), plain.blue(), plain.alpha()]
                })
                .collect(),
        }
    }

    /// RGBA as PNG; on a `sheet` of that colour, or transparent.
    pub fn png(&self, sheet: Option<u32>) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.0.width(), self.0.height());
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.pixels(sheet))?;
        Ok(bytes)
    }

    /// For tests that compare pictures made on one machine.
    pub fn hash(&self) -> u64 {
        let mut hash = crate::hash::Fnv::after(crate::hash::Fnv::EMPTY);
        hash.bytes(self.0.data());
        hash.finish()
    }
}

fn shape_path(shape: &Shape) -> Option<Path> {
    let (x1, y1) = (f32::from(shape.from.x), f32::from(shape.from.y));
    let (x2, y2) = (f32::from(shape.to.x), f32::from(shape.to.y));
    let mut path = PathBuilder::new();
    // A box without width or height is a line, or a dot, which a pen draws by its round end.
    if shape.form == Form::Line || x1 == x2 || y1 == y2 {
        path.move_to(x1, y1);
        path.line_to(x2, y2);
        return path.finish();
    }
    let area = Rect::from_ltrb(x1.min(x2), y1.min(y2), x1.max(x2), y1.max(y2))?;
    match shape.form {
        Form::Ellipse => path.push_oval(area),
        Form::Line | Form::Rectangle => path.push_rect(area),
    }
    path.finish()
}

const _: () = assert!(PAPER_WIDTH as u32 * CELL_ROWS as u32 == PAPER_HEIGHT as u32 * CELL_COLUMNS as u32);
