// The network island: the same network as the drawing on the page, all of it,
// with zoom, hover and the posts behind an edge one click away.

import Graph from "graphology";
import Sigma from "sigma";
import { fetchPage } from "./trusted";

/** What /detect/runs/ID/network.json holds; arrays, since there may be many. */
interface Network {
  nodes: [id: string, x: number, y: number, strength: number, community: number][];
  edges: [a: number, b: number, weight: number][];
}

const root = getComputedStyle(document.documentElement);
const colour = (name: string): string => root.getPropertyValue(name).trim();
const communityColour = (community: number): string => colour(community < 0 ? "--gx" : `--g${community % 8}`);

/** A colour thinned towards the sheet: WebGL adds transparent lines up to another colour. */
function thin(hex: string, share: number): string {
  const part = (text: string, i: number): number => parseInt(text.slice(1 + 2 * i, 3 + 2 * i), 16);
  const sheet = colour("--sheet");
  const mixed = [0, 1, 2].map((i) => Math.round(part(hex, i) * share + part(sheet, i) * (1 - share)));
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** Up to so many ties are drawn in every frame while the network moves, and answer to the pointer; in a larger network accounts do. */
const smoothEdges = 4000;

const stage = document.querySelector<HTMLElement>("[data-network]");
if (stage) void start(stage);

async function start(stage: HTMLElement): Promise<void> {
  const answer = await fetch(stage.dataset.network ?? "", { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const network = (await answer.json()) as Network;
  const graph = build(network);
  document.querySelector("[data-network-still]")?.setAttribute("hidden", "");
  stage.hidden = false;

  const large = graph.size > smoothEdges;
  let hovered: string | undefined;
  let edge: string | undefined;
  const sigma = new Sigma(graph, canvasPlace(stage), {
    allowInvalidContainer: true,
    enableEdgeEvents: !large, // they need every tie drawn a second time, unseen, to be found
    renderEdgeLabels: false,
    labelRenderedSizeThreshold: 9,
    labelDensity: 0.6,
    labelSize: 13,
    labelFont: getComputedStyle(document.body).fontFamily,
    labelColor: { color: colour("--ink") },
    defaultEdgeColor: colour("--gx"),
    zIndex: true,
    stagePadding: 40,
    // What costs a frame is the ties: of a large network they come back when it stands still.
    hideEdgesOnMove: large,
    hideLabelsOnMove: large,
    nodeReducer: (node, data) =>
      hovered && node !== hovered && !graph.areNeighbors(node, hovered)
        ? { ...data, color: colour("--rule"), label: "", zIndex: 0 }
        : { ...data, zIndex: 1 },
    edgeReducer: (name, data) => {
      if (name === edge) return { ...data, color: colour("--bad"), size: (data.size as number) + 2, zIndex: 2 };
      if (hovered && !graph.hasExtremity(name, hovered)) return { ...data, hidden: true };
      return data;
    },
  });

  const tip = stage.querySelector<HTMLElement>(".tip");
  const tell = (text: string): void => {
    if (!tip) return;
    tip.textContent = text;
    tip.hidden = text === "";
  };
  let held = false; // the network is being dragged: what passes under the pointer is not meant
  stage.addEventListener("pointerdown", () => (held = true), { capture: true });
  window.addEventListener("pointerup", () => (held = false), { capture: true });
  sigma.on("enterNode", ({ node }) => {
    if (held) return;
    hovered = node;
    const { strength, degree } = graph.getNodeAttributes(node) as { strength: number; degree: number };
    tell(`${node} · ${stage.dataset.strength ?? ""} ${strength} · ${stage.dataset.ties ?? ""} ${degree}`);
    sigma.refresh({ skipIndexation: true });
  });
  sigma.on("leaveNode", () => {
    if (hovered === undefined) return;
    hovered = undefined;
    tell("");
    sigma.refresh({ skipIndexation: true });
  });
  sigma.on("enterEdge", ({ edge: name }) => {
    edge = name;
    tell(`${graph.source(name)} – ${graph.target(name)} · ${stage.dataset.weight ?? ""} ${graph.getEdgeAttribute(name, "weight")}`);
    sigma.refresh({ skipIndexation: true });
  });
  sigma.on("leaveEdge", () => {
    edge = undefined;
    tell("");
    sigma.refresh({ skipIndexation: true });
  });
  sigma.on("clickEdge", ({ edge: name }) => void open(stage, { a: graph.source(name), b: graph.target(name) }));
  sigma.on("clickNode", ({ node }) => void open(stage, { account: node }));

  const camera = sigma.getCamera();
  stage.querySelector("[data-zoom=in]")?.addEventListener("click", () => void camera.animatedZoom({ duration: 150 }));
  stage.querySelector("[data-zoom=out]")?.addEventListener("click", () => void camera.animatedUnzoom({ duration: 150 }));
  stage.querySelector("[data-zoom=all]")?.addEventListener("click", () => void camera.animatedReset({ duration: 150 }));
  stage.dataset.ready = "true";
}

function canvasPlace(stage: HTMLElement): HTMLElement {
  const place = document.createElement("div");
  place.style.position = "absolute";
  place.style.inset = "0";
  stage.prepend(place);
  return place;
}

function build(network: Network): Graph {
  const graph = new Graph({ type: "undirected" });
  const strongest = network.nodes.reduce((most, node) => Math.max(most, node[3]), 1e-9);
  const heaviest = network.edges.reduce((most, edge) => Math.max(most, edge[2]), 1e-9);
  for (const [id, x, y, strength, community] of network.nodes) {
    graph.addNode(id, {
      x,
      y,
      label: id,
      strength,
      degree: 0,
      size: 2.5 + 9 * Math.sqrt(strength / strongest),
      color: communityColour(community),
      community,
    });
  }
  for (const [a, b, weight] of network.edges) {
    const from = network.nodes[a];
    const to = network.nodes[b];
    if (!from || !to || graph.hasEdge(from[0], to[0])) continue;
    const same = from[4] >= 0 && from[4] === to[4];
    graph.addEdge(from[0], to[0], {
      weight,
      size: 0.6 + 3.2 * Math.sqrt(weight / heaviest),
      color: thin(same ? communityColour(from[4]) : colour("--gx"), 0.45),
    });
    graph.updateNodeAttribute(from[0], "degree", (n: number) => n + 1);
    graph.updateNodeAttribute(to[0], "degree", (n: number) => n + 1);
  }
  return graph;
}

/** Shows the posts behind an edge or an account beside the network, from the page that a reader without JavaScript opens. */
async function open(stage: HTMLElement, query: Record<string, string>): Promise<void> {
  const url = `${stage.dataset.evidence ?? ""}?${new URLSearchParams(query)}`;
  const panel = document.querySelector<HTMLElement>("[data-evidence-panel]");
  const page = panel ? await fetchPage(url) : undefined;
  const part = page?.getElementById("evidence");
  if (!panel || !part) {
    location.assign(url);
    return;
  }
  panel.replaceChildren(document.adoptNode(part));
  panel.scrollIntoView({ block: "nearest" });
}
