package trade

// A Picture is a result as flows between named nodes, ready to be drawn as a
// Sankey diagram or a map and to be written as a table. It holds numbers and
// names only; positions and colours belong to whoever draws it.
type Picture struct {
	Title string   `json:"title"`
	Unit  string   `json:"unit"`
	Nodes []Node   `json:"nodes"` // in drawing order: by stage, then as the result lists them
	Bands []Band   `json:"bands"`
	Notes []string `json:"notes,omitempty"` // what a reader must know: coverage, assumptions, what is unknown
}

// A Node is one party at one stage. The same country may stand at several
// stages (it exports and imports), each with an id of its own.
type Node struct {
	ID    string  `json:"id"`
	Name  string  `json:"name"`
	Place string  `json:"place,omitempty"` // ISO alpha-3 where the node is a country, for maps
	Stage int     `json:"stage"`           // column, from 0
	Value float64 `json:"value"`           // what passes through, in the picture's unit
}

// A Band is a flow between two nodes, before and after what the picture is
// about. Where nothing happened the two are the same.
type Band struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Note   string  `json:"note,omitempty"` // why it may not rise, that it is an assumption
}

// Pass adds v to the node with the id, making it at the end of the list if it
// is new, and returns the id.
func (p *Picture) Pass(n Node, v float64) string {
	for i := range p.Nodes {
		if p.Nodes[i].ID == n.ID {
			p.Nodes[i].Value += v
			return n.ID
		}
	}
	n.Value = v
	p.Nodes = append(p.Nodes, n)
	return n.ID
}
