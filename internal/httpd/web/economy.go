package web

import (
	"cmp"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"
	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/dependency"
	"causeway/trade/exchange"
	"causeway/trade/place"
	"causeway/trade/table"
)

func economyRoutes() []Route {
	id := map[string]string{"id": "x-causeway-dependency--00000000-0000-4000-8000-000000000000"}
	routes := []Route{
		get("/economy", (*request).economy),
		post("/economy", (*request).bringWorld),
		get("/economy/episodes", (*request).episodes),
		get("/economy/{id}", (*request).exposure),
		get("/economy/{id}/scenario", (*request).scenario),
		post("/economy/{id}/scenario", (*request).keepScenario),
		get("/economy/{id}/flows.csv", (*request).flowsCSV),
	}
	for i := range routes {
		if strings.Contains(routes[i].Pattern, "{id}") {
			routes[i].Example = id
		}
	}
	return routes
}

// dependencyType is one product's flows, production and stocks: an object like
// any other, so that it is labelled, released and recalled like any other.
const dependencyType = exchange.DependencyType

// product is a dependency object as the pages use it.
type product struct {
	item
	Unit, Source string
	Year         string
	World        *cascade.World
	Object       *stix.Object
}

// products lists the products that the reader may see: objects of one name and
// unit are one product over the years.
func (q *request) products() ([]productItem, error) {
	rows, err := q.collect(vault.Match{Types: []string{dependencyType}}, 200)
	if err != nil {
		return nil, err
	}
	var out []productItem
	at := map[[2]string]int{}
	for _, row := range rows {
		o, err := objectOf(row)
		if err != nil {
			return nil, err
		}
		it, err := q.item(row)
		if err != nil {
			return nil, err
		}
		l := productItem{item: it, Year: o.StringAt("year")}
		key := [2]string{o.StringAt("name"), o.StringAt("unit")}
		i, known := at[key]
		if l.Year == "" || !known || key[0] == "" {
			at[key] = len(out)
			out = append(out, l)
			continue
		}
		older := l
		if l.Year > out[i].Year {
			older = out[i]
			l.Years = older.Years
			out[i] = l
		}
		out[i].Years = append(out[i].Years, ref{older.ID, address("economy", older.ID), older.Year})
	}
	for i := range out {
		slices.SortFunc(out[i].Years, func(a, b ref) int { return cmp.Compare(b.Name, a.Name) })
	}
	return out, nil
}

// product reads one dependency object.
func (q *request) product() (*product, error) {
	row, o, err := q.newest()
	if err != nil {
		return nil, err
	}
	if o.Type() != dependencyType {
		return nil, errNotFound
	}
	it, err := q.item(row)
	if err != nil {
		return nil, err
	}
	supply, err := exchange.ReadWorld(o)
	if err != nil {
		return nil, refused("%v", err)
	}
	return &product{item: it, Unit: supply.Unit, Source: supply.Source, Year: supply.Year, World: supply.World, Object: o}, nil
}

// productItem is a product with the years there are objects of; the item is the
// newest year's.
type productItem struct {
	item
	Year  string
	Years []ref // the earlier years, the newest first
}

type economyData struct {
	Products    []productItem
	CanBring    bool
	PolicyForms []policyForm
	Kept        []item
}

func (q *request) economy() error {
	data := economyData{CanBring: q.who.Has(people.Analyst)}
	var err error
	if data.Products, err = q.products(); err != nil {
		return err
	}
	rows, err := q.collect(vault.Match{Types: []string{"x-causeway-scenario", "x-causeway-plan"}}, 50)
	if err != nil {
		return err
	}
	if data.Kept, err = q.items(rows); err != nil {
		return err
	}
	if data.CanBring {
		start, err := q.newestLabel()
		if err != nil {
			return err
		}
		data.PolicyForms = q.policyFormsOf(start)
	}
	return q.render("economy", "place.economy", q.say("place.economy"), data)
}

// bringWorld makes a dependency object of two tables.
func (q *request) bringWorld() error {
	if err := q.need(people.Analyst); err != nil {
		return err
	}
	places, err := q.table("places")
	if err != nil {
		return err
	}
	exports, err := q.table("exports")
	if err != nil {
		return err
	}
	years, notes, err := cascade.ReadYears(places, exports)
	if err != nil {
		return refused("%v", err)
	}
	name, unit := q.field("name"), q.field("unit")
	if name == "" || unit == "" || q.field("source") == "" {
		return refused("%s", q.say("economy.missing"))
	}
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	var made []*stix.Object
	for _, y := range years {
		o, err := exchange.World(exchange.Supply{Name: name, Unit: unit, Source: q.field("source"), Year: cmp.Or(y.Name, q.field("year")), Notes: notes, World: y.World},
			exchange.Params{Created: stix.TimestampOf(q.now), CreatedBy: q.site.node.Config.Identity, Salt: randomUUID()})
		if err != nil {
			return refused("%v", err)
		}
		made = append(made, o)
	}
	if err := q.store(l, made...); err != nil {
		return err
	}
	newest := years[len(years)-1].World
	return q.redirect(address("economy", made[len(made)-1].ID()), q.say("economy.brought", len(newest.Places), len(newest.Links)))
}

// own builds an object of a type that this project defines, made by this node.
func (q *request) own(typ, extension string, properties map[string]any) (*stix.Object, error) {
	b := stix.New(typ, "", stix.TimestampOf(q.now)).Ref("created_by_ref", q.site.node.Config.Identity)
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if s, ok := properties[name].(string); ok && s == "" {
			continue
		}
		b.Set(name, properties[name])
	}
	o, err := b.Set("extensions", map[string]any{extension: map[string]any{"extension_type": "new-sdo"}}).Object()
	if err != nil {
		return nil, refused("%v", err)
	}
	return o, nil
}

// store keeps objects under a label, as the visitor.
func (q *request) store(l *label.Label, objects ...*stix.Object) error {
	items := make([]stix.Item, 0, len(objects))
	for _, o := range objects {
		items = append(items, stix.Item{Object: o})
	}
	report, err := q.site.node.Desk.Import(q.ctx(), q.who.Reader, items, l, nil)
	if err != nil {
		return act(err)
	}
	for _, r := range report.Refused {
		return refused("%s", r.Why)
	}
	return nil
}

// table reads an uploaded CSV table.
func (q *request) table(field string) (*table.Table, error) {
	f, header, err := q.FormFile(field)
	if err != nil {
		return nil, refused("%s", q.say("economy.no-table", q.word("economy.table", field)))
	}
	defer f.Close()
	t, err := table.Read(header.Filename, f)
	if err != nil {
		return nil, refused("%v", err)
	}
	return t, nil
}

type exposureData struct {
	product
	Country    string
	Countries  []choice
	Imports    dependency.Concentration
	World      dependency.Concentration
	Flows      drawing
	Exposed    exposureMap
	Years      overYears
	Explained  []string
	Suppliers  []supplier
	Need       float64
	Own        float64
	Foreign    float64 // share of use that is imported
	HHI, Level string  // in words
	Marks      []Marking
}

type supplier struct {
	Name, Code string
	Quantity   float64
	Share      float64
}

// exposure answers "what is this country exposed to" for one product: who
// supplies it, how concentrated that is, and where the product flows.
func (q *request) exposure() error {
	p, err := q.product()
	if err != nil {
		return err
	}
	data := exposureData{product: *p, Country: q.URL.Query().Get("country"), Marks: p.Marks}
	data.Countries = q.countryChoices(p.World, &data.Country)
	if data.Imports, err = concentration(p.World, data.Country); err != nil {
		return err
	}
	if data.World, err = concentration(p.World, ""); err != nil {
		return err
	}
	data.Level = q.word("hhi", hhiBand(data.Imports.HHI))
	use := p.World.Consumption()
	for i, name := range p.World.Places {
		if name == data.Country {
			data.Own, data.Need = p.World.Production[i], use[i]
		}
	}
	imports := 0.0
	for _, s := range data.Imports.Shares {
		imports += s.Value
		data.Suppliers = append(data.Suppliers, supplier{q.country(s.Name), s.Name, s.Value, s.Share})
	}
	if data.Need > 0 {
		data.Foreign = min(imports/data.Need, 1)
	}
	data.Flows = q.takeable("flows", drawing{Title: q.country(data.Country), Picture: q.flows(p, data.Country),
		Caption: q.say("economy.flows.caption", p.Unit, p.Year) + " " + q.say("economy.source.said", p.Source)})
	if data.Exposed, err = q.exposureOf(p, data.Country); err != nil {
		return err
	}
	if data.Years, err = q.years(p, data.Country); err != nil {
		return err
	}
	data.Explained = q.explained(&data)
	q.exposureSheets(&data)
	return q.render("exposure", "place.economy", p.Title, data)
}

func (q *request) country(code string) string { return q.site.catalogues[q.lang].country(code) }

// href is the address of the page of a product for a country, with a map of
// who is exposed to the supplier.
func (p *product) href(country, supplier string) string {
	return address("economy", p.ID) + "?" + url.Values{"country": {country}, "to": {supplier}}.Encode()
}

// countryChoices lists the places that import, the largest first; the choice
// falls on the node's own nation, else the largest.
func (q *request) countryChoices(w *cascade.World, here *string) (out []choice) {
	imports := make([]float64, len(w.Places))
	for _, l := range w.Links {
		imports[l.To] += l.Quantity
	}
	order := make([]int, 0, len(w.Places))
	for i := range w.Places {
		if imports[i] > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(imports[b], imports[a]) })
	known := func(code string) bool {
		return slices.ContainsFunc(order, func(i int) bool { return w.Places[i] == code })
	}
	if !known(*here) {
		*here = q.site.node.Config.Nation
	}
	if !known(*here) && len(order) > 0 {
		*here = w.Places[order[0]]
	}
	for _, i := range order {
		out = append(out, choice{Value: w.Places[i], Name: q.country(w.Places[i]), Here: w.Places[i] == *here})
	}
	return out
}

// concentration measures the supply of one importer, or of the whole world
// when importer is "".
func concentration(w *cascade.World, importer string) (dependency.Concentration, error) {
	var rows []dependency.Supply
	for _, l := range w.Links {
		if importer == "" || w.Places[l.To] == importer {
			rows = append(rows, dependency.Supply{Name: w.Places[l.From], Value: trade.Known(l.Quantity)})
		}
	}
	return dependency.Concentrate(importer, rows, func(name string) bool { return place.KindOf(name) == place.Residual })
}

// hhiBand names the level of an index on the scale of 0 to 1: the European
// Commission's screen (SWD(2021) 352) calls a dependency above 0.4, and the
// US merger guidelines of 2023 a market concentrated above 0.18.
func hhiBand(f trade.Figure) string {
	switch {
	case !f.IsKnown():
		return "unknown"
	case f.Value > 0.4:
		return "dependent"
	case f.Value > 0.18:
		return "concentrated"
	}
	return "spread"
}

// bandsDrawn bounds the flows of a picture.
const bandsDrawn = 18

// flows draws the largest flows of the product, those to the country in
// colour.
func (q *request) flows(p *product, country string) template.HTML {
	w := p.World
	links := slices.Clone(w.Links)
	slices.SortStableFunc(links, func(a, b cascade.Link) int {
		ours := func(l cascade.Link) int {
			if w.Places[l.To] == country {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(ours(a), ours(b)), cmp.Compare(b.Quantity, a.Quantity))
	})
	links = links[:min(len(links), bandsDrawn)]
	s := chart.Sankey{Label: q.say("economy.flows.label", p.Title, q.country(country)), Width: 1180, Height: 120 + 26*float64(len(links)), Names: map[string]string{}}
	for _, l := range links {
		from, to := w.Places[l.From], w.Places[l.To]
		s.Names[from], s.Names[to+" "] = q.country(from), q.country(to)
		s.Flows = append(s.Flows, chart.Flow{From: from, To: to + " ", Value: l.Quantity, Faint: to != country,
			Title: q.flowTitle(p, l)})
	}
	return s.SVG()
}

// exposureSheets are the tables of the page as files.
func (q *request) exposureSheets(data *exposureData) {
	exposed := [][]string{{"country", "supplier", "quantity", "unit", "share_of_imports", "direct", "look_through", "hidden", "year", "source"}}
	for _, r := range data.Exposed.Rows {
		exposed = append(exposed, []string{r.Code, data.Exposed.Supplier, trade.Known(r.Quantity).String(), data.Unit, trade.Known(r.Share).String(),
			r.Face.String(), r.Look.String(), r.Hidden.String(), data.Year, data.Source})
	}
	q.sheet("exposed", exposed)
	years := [][]string{{"year", "country", "hhi", "top", "top_share"}}
	for _, r := range data.Years.Rows {
		years = append(years, []string{r.Year, data.Country, r.HHI.String(), r.Top, r.TopShare.String()})
	}
	q.sheet("years", years)
}

// flowsCSV gives the flows as a table.
func (q *request) flowsCSV() error {
	p, err := q.product()
	if err != nil {
		return err
	}
	rows := [][]string{{"from", "to", "quantity", "unit", "year", "marking", "source"}}
	for _, l := range p.World.Links {
		rows = append(rows, []string{p.World.Places[l.From], p.World.Places[l.To], trade.Known(l.Quantity).String(), p.Unit, p.Year, markingText(p.Marks), p.Source})
	}
	return q.csv("flows.csv", rows)
}

// markingText writes the markings of a row for an export.
func markingText(marks []Marking) string {
	var out []string
	for _, m := range marks {
		out = append(out, m.Text)
	}
	return strings.Join(out, " · ")
}
