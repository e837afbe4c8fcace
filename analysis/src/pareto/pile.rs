//! Unions of boxes of three sides, and the outlines of their layers.

/// A union of boxes of three sides that share a corner: none of them contains another one, and their third sides
/// fall.
#[derive(Default)]
pub(super) struct Pile {
    // Apart, so that the search for strips takes several boxes at once.
    widths: Vec<f64>,
    heights: Vec<f64>,
    depths: Vec<f64>,
    outline: Outline,
}

/// What is covered over the whole width and over the whole height of a rectangle.
struct Strips {
    floor: f64,
    wall: f64,
}

impl Pile {
    /// Add a box, and say by how much the union grows: from the box's top down, layer by layer, the part of its
    /// outline that no other box covers.
    pub(super) fn add(&mut self, own: [f64; 3]) -> f64 {
        let [width, height, depth] = own;
        let lower = self.depths.partition_point(|other| *other >= depth);
        let strips = self.strips(width, height, lower);
        if strips.floor >= height {
            return 0.0;
        }
        let grown = self.uncovered(own, lower, strips);
        self.put(own, lower);
        grown
    }

    /// The strips of the first boxes. One that contains the rectangle makes both of them all of it.
    fn strips(&self, width: f64, height: f64, count: usize) -> Strips {
        const LANES: usize = 4;
        let strip = |covers: bool, size: f64, most: f64| {
            let size = if covers { size } else { 0.0 };
            if size > most { size } else { most }
        };
        let (mut floors, mut walls) = ([0.0; LANES], [0.0; LANES]);
        let widths = self.widths[..count].chunks_exact(LANES);
        let heights = self.heights[..count].chunks_exact(LANES);
        for (w, h) in widths.remainder().iter().zip(heights.remainder()) {
            floors[0] = strip(*w >= width, *h, floors[0]);
            walls[0] = strip(*h >= height, *w, walls[0]);
        }
        for (w, h) in widths.zip(heights) {
            for lane in 0..LANES {
                floors[lane] = strip(w[lane] >= width, h[lane], floors[lane]);
                walls[lane] = strip(h[lane] >= height, w[lane], walls[lane]);
            }
        }
        let most = |of: [f64; LANES]| of.into_iter().fold(0.0, f64::max);
        Strips { floor: most(floors), wall: most(walls) }
    }

    /// The part of a box that no other one covers; the boxes from `lower` on are less deep. Most others are below a
    /// strip in sight of the box, and are passed by.
    fn uncovered(&mut self, [width, height, depth]: [f64; 3], lower: usize, strips: Strips) -> f64 {
        let Strips { mut floor, mut wall } = strips;
        let whole = width * height;
        self.outline.clear();
        self.outline.add(width, floor);
        self.outline.add(wall, height);
        let (mut grown, mut top) = (0.0, depth);
        for (index, (w, h)) in self.widths.iter().zip(&self.heights).enumerate() {
            if *w <= wall || *h <= floor {
                continue;
            }
            let before = self.outline.area;
            if self.outline.add(w.min(width), h.min(height)) && index >= lower {
                grown += (whole - before) * (top - self.depths[index]);
                top = self.depths[index];
                match (*w >= width, *h >= height) {
                    (true, true) => break,
                    (true, false) => floor = *h,
                    (false, true) => wall = *w,
                    (false, false) => {}
                }
            }
        }
        grown + (whole - self.outline.area) * top
    }

    /// Put a box at its place, and drop those that it contains.
    fn put(&mut self, [width, height, depth]: [f64; 3], place: usize) {
        // The first ones are as deep: it contains those that are not deeper.
        let first = self.depths[..place].partition_point(|other| *other > depth);
        let mut kept = first;
        for index in first..self.depths.len() {
            let (w, h) = (self.widths[index], self.heights[index]);
            self.widths[kept] = w;
            self.heights[kept] = h;
            self.depths[kept] = self.depths[index];
            kept += usize::from(w > width || h > height);
        }
        for (sides, own) in
            [(&mut self.widths, width), (&mut self.heights, height), (&mut self.depths, depth)]
        {
            sides.truncate(kept);
            sides.insert(first, own);
        }
    }
}

/// The union of rectangles that share a corner: widths rise, heights fall.
#[derive(Default)]
pub(super) struct Outline {
    corners: Vec<(f64, f64)>,
    /// The area of the union.
    pub(super) area: f64,
}

impl Outline {
    fn clear(&mut self) {
        self.corners.clear();
        self.area = 0.0;
    }

    /// Add a rectangle; whether the union grows.
    pub(super) fn add(&mut self, width: f64, height: f64) -> bool {
        // The corners from here on are at least as wide.
        let wider = self.corners.partition_point(|corner| corner.0 < width);
        let mut under = self.corners.get(wider).map_or(0.0, |corner| corner.1);
        if under >= height || width <= 0.0 {
            return false;
        }
        let mut first = wider;
        let mut right = width;
        // Those before that are not as high disappear.
        while first > 0 && self.corners[first - 1].1 <= height {
            let corner = self.corners[first - 1];
            self.area += (right - corner.0) * (height - under);
            (right, under) = corner;
            first -= 1;
        }
        let left = if first > 0 { self.corners[first - 1].0 } else { 0.0 };
        self.area += (right - left) * (height - under);
        // One as wide is below the new one.
        let end = wider + usize::from(self.corners.get(wider).is_some_and(|c| c.0 == width));
        if first < end {
            self.corners[first] = (width, height);
            self.corners.drain(first + 1..end);
        } else {
            self.corners.insert(first, (width, height));
        }
        true
    }
}
