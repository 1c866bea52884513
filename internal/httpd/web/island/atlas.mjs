// Makes the outlines of countries that the server draws maps of: Natural Earth
// (public domain, by way of world-atlas) in the Equal Earth projection (Savric,
// Patterson and Jenny 2018), which keeps areas comparable. Coordinates are
// whole numbers, half a pixel at the width of a page.
import { readFile } from "node:fs/promises";
import { geoArea, geoCentroid, geoEqualEarth, geoPath } from "d3-geo";
import { feature } from "topojson-client";

const width = 2360;
const antarctica = "010"; // nobody trades with it, and it would take a fifth of the height

async function countries(scale) {
  const file = new URL(`node_modules/world-atlas/countries-${scale}.json`, import.meta.url);
  const topology = JSON.parse(await readFile(file, "utf8"));
  return feature(topology, topology.objects.countries).features.filter((f) => f.id !== antarctica);
}

/** Collects a path as relative whole-number steps; what is smaller than one is not drawn. */
class Pen {
  d = "";
  moveTo(x, y) {
    this.#points = [[Math.round(x), Math.round(y)]];
  }
  lineTo(x, y) {
    const point = [Math.round(x), Math.round(y)];
    const last = this.#points.at(-1);
    if (point[0] !== last[0] || point[1] !== last[1]) this.#points.push(point);
  }
  closePath() {
    const points = this.#points;
    if (points.length < 3) return;
    const steps = points.slice(1).map(([x, y], i) => `${x - points[i][0]} ${y - points[i][1]}`);
    this.d += `M${points[0].join(" ")}l${steps.join(" ")}z`;
  }
  arc() {}
  #points = [];
}

/** The largest polygon of a country stands for where it is: Metropolitan France, not its territories together. */
function heart(country) {
  const polygons = country.geometry.type === "Polygon" ? [country.geometry.coordinates] : country.geometry.coordinates;
  const parts = polygons.map((coordinates) => ({ type: "Polygon", coordinates }));
  return geoCentroid(parts.reduce((most, part) => (geoArea(part) > geoArea(most) ? part : most)));
}

export async function atlas() {
  const coarse = await countries("110m");
  const projection = geoEqualEarth().rotate([-11, 0]).fitWidth(width, { type: "FeatureCollection", features: coarse });
  const bounds = geoPath(projection).bounds({ type: "FeatureCollection", features: coarse });
  const [tx, ty] = projection.translate();
  projection.translate([tx - bounds[0][0], ty - bounds[0][1]]);
  const drawn = new Map();
  for (const country of coarse) {
    const pen = new Pen();
    geoPath(projection, pen)(country);
    drawn.set(country.properties.name, pen.d);
  }
  // The finer file knows the small countries; on this scale they are points.
  const places = (await countries("50m")).map((country) => {
    const { name } = country.properties;
    const [x, y] = projection(heart(country)).map(Math.round);
    return { id: country.id ?? "", name, x, y, d: drawn.get(name) ?? "" };
  });
  const missing = [...drawn.keys()].filter((name) => !places.some((p) => p.name === name));
  if (missing.length > 0) throw new Error(`outlines without a country: ${missing.join(", ")}`);
  return { width, height: Math.ceil(bounds[1][1] - bounds[0][1]), places };
}
