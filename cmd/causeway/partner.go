package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label/stanag4774"
)

type partnerCmd struct {
	Invite  partnerInviteCmd  `cmd:"" help:"Write an invitation for another node; it is good once, for seven days."`
	Accept  partnerAcceptCmd  `cmd:"" help:"Take up an invitation, or the answer to one."`
	Confirm partnerConfirmCmd `cmd:"" help:"Open the line, after both operators compared the code."`
	List    partnerListCmd    `cmd:"" help:"List the partners and what each is cleared for."`
	Clear   partnerClearCmd   `cmd:"" help:"Say what a partner may see."`
	Address partnerAddressCmd `cmd:"" help:"Say where a partner is reached, or that it cannot be."`
	Route   partnerRouteCmd   `cmd:"" help:"Say by way of which partner messages for a node go, where there is no connection to it."`
	Carry   partnerCarryCmd   `cmd:"" help:"Say to which nodes this one carries a partner's sealed messages."`
	Suspend partnerSuspendCmd `cmd:"" help:"Stop the line to a partner; what waits is kept."`
	Resume  partnerResumeCmd  `cmd:"" help:"Open a suspended line again."`
	Revoke  partnerRevokeCmd  `cmd:"" help:"End a partnership for good."`
}

// maxPartnerFile bounds the files that partners hand each other.
const maxPartnerFile = 1 << 20

type partnerInviteCmd struct {
	dataFlag
	byFlag
	Out string `required:"" short:"o" placeholder:"FILE" help:"File to write. Whoever has it can answer it: hand it over in person or by a channel you trust."`
}

func (c *partnerInviteCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		inv, file, err := n.Line.Invite(p.ctx, by.ReaderID())
		if err != nil {
			return err
		}
		if err := writeNew(p, c.Out, file); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "wrote %s, good once until %s\n", c.Out, time.UnixMilli(inv.Expires).UTC().Format(time.RFC3339))
		fmt.Fprintln(p.stdout, "next: the partner runs \"causeway partner accept\" on it; then both compare the code")
		return nil
	})
}

// writeNew writes a private file that must not exist yet.
func writeNew(p *process, name string, b []byte) error {
	f, err := os.OpenFile(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

type partnerAcceptCmd struct {
	dataFlag
	byFlag
	File string `arg:"" help:"Invitation of another node, or its answer to an invitation of this one."`
	Out  string `short:"o" placeholder:"FILE" help:"Write the answer here, for an inviting node that this one cannot reach."`
	JSON bool   `help:"For machines."`
}

func (c *partnerAcceptCmd) Run(p *process) error {
	b, err := readInput(p, c.File, maxPartnerFile)
	if err != nil {
		return err
	}
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		a, err := n.Line.Accept(p.ctx, by.ReaderID(), b)
		if err != nil {
			return err
		}
		if c.Out != "" {
			if a.Answer == nil {
				return usagef("--out %s: %s was an answer itself; there is nothing to write", c.Out, c.File)
			}
			if err := writeNew(p, c.Out, a.Answer); err != nil {
				return err
			}
		}
		if c.JSON {
			return writeJSON(p, map[string]any{"node": a.Partner.NodeID, "name": a.Partner.Name, "nation": a.Partner.Nation, "code": a.Code})
		}
		fmt.Fprintf(p.stdout, "partner %s (%s, %s)\ncode %s\n", a.Partner.NodeID, a.Partner.Name, a.Partner.Nation, a.Code)
		fmt.Fprintf(p.stdout, "next: read the code to each other; if it is equal, both run \"causeway partner confirm %s CODE\"\n", a.Partner.NodeID)
		return nil
	})
}

// partnerArg is embedded by commands on one partner.
type partnerArg struct {
	Partner string `arg:"" help:"Node name, or the partner's name or nation where only one has it."`
}

// partner runs do on the partner that was named, as the security officer.
func (a partnerArg) partner(p *process, d dataFlag, by byFlag, do func(n *node.Node, by string, partner line.Partner) error) error {
	return d.use(p, func(n *node.Node) error {
		officer, err := by.officer(p, n)
		if err != nil {
			return err
		}
		partner, err := n.Line.Partner(p.ctx, a.Partner)
		if err != nil {
			return err
		}
		return do(n, officer.ReaderID(), partner)
	})
}

type partnerConfirmCmd struct {
	dataFlag
	byFlag
	partnerArg
	Code []string `arg:"" help:"The 24 digits, with blanks or without."`
}

func (c *partnerConfirmCmd) Run(p *process) error {
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		if err := n.Line.Confirm(p.ctx, by, partner.NodeID, strings.Join(c.Code, " ")); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "the line to %s is open\nnext: causeway partner clear %s CLEARANCE.xml\n", partner.Name, partner.NodeID)
		return nil
	})
}

type partnerClearCmd struct {
	dataFlag
	byFlag
	partnerArg
	Clearance string `arg:"" optional:"" help:"STANAG 4774 clearance as XML; left out: it may see nothing more."`
}

func (c *partnerClearCmd) Run(p *process) error {
	var xml []byte
	if c.Clearance != "" {
		var err error
		if xml, err = readInput(p, c.Clearance, maxPartnerFile); err != nil {
			return err
		}
	}
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		return n.Line.SetClearance(p.ctx, by, partner.NodeID, xml)
	})
}

type partnerAddressCmd struct {
	dataFlag
	byFlag
	partnerArg
	Address string `arg:"" optional:"" help:"host:port; left out: it cannot be reached and fetches for itself."`
	Fetch   bool   `help:"This node fetches what waits there, since the partner cannot reach it."`
}

func (c *partnerAddressCmd) Run(p *process) error {
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		if err := n.Line.SetAddress(p.ctx, by, partner.NodeID, c.Address); err != nil {
			return err
		}
		return n.Line.SetFetch(p.ctx, by, partner.NodeID, c.Fetch)
	})
}

type partnerRouteCmd struct {
	dataFlag
	byFlag
	To     string `arg:"" name:"node" help:"Whom the messages are for: a partner, or the name of a node that partners write to through this one."`
	Via    string `xor:"way" required:"" placeholder:"PARTNER" help:"The partner that carries them. It cannot read them, and signs for each."`
	Direct bool   `xor:"way" required:"" help:"Straight again."`
}

func (c *partnerRouteCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		to, err := nodeNamed(p, n, c.To)
		if err != nil {
			return err
		}
		via := line.Partner{}
		if c.Via != "" {
			if via, err = n.Line.Partner(p.ctx, c.Via); err != nil {
				return err
			}
		}
		return n.Line.SetRoute(p.ctx, by.ReaderID(), to, via.NodeID)
	})
}

// nodeNamed finds the node name of a partner, or takes the name of a node
// that is none.
func nodeNamed(p *process, n *node.Node, name string) (string, error) {
	partner, err := n.Line.Partner(p.ctx, name)
	switch {
	case err == nil:
		return partner.NodeID, nil
	case line.IsNode(name):
		return name, nil
	}
	return "", err
}

type partnerCarryCmd struct {
	dataFlag
	byFlag
	partnerArg
	To []string `placeholder:"NODE" help:"Whom its messages may be for; these and no others. Left out: none any more."`
}

func (c *partnerCarryCmd) Run(p *process) error {
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		var to []string
		for _, name := range c.To {
			node, err := nodeNamed(p, n, name)
			if err != nil {
				return err
			}
			to = append(to, node)
		}
		return n.Line.SetCarries(p.ctx, by, partner.NodeID, to)
	})
}

type partnerSuspendCmd struct {
	dataFlag
	byFlag
	partnerArg
	Why string `required:"" help:"The reason, for the people of this node."`
}

func (c *partnerSuspendCmd) Run(p *process) error {
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		return n.Line.Suspend(p.ctx, by, partner.NodeID, c.Why)
	})
}

type partnerResumeCmd struct {
	dataFlag
	byFlag
	partnerArg
}

func (c *partnerResumeCmd) Run(p *process) error {
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		return n.Line.Resume(p.ctx, by, partner.NodeID)
	})
}

type partnerRevokeCmd struct {
	dataFlag
	byFlag
	partnerArg
	Why string `required:"" help:"The reason, for the people of this node."`
}

func (c *partnerRevokeCmd) Run(p *process) error {
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		return n.Line.Revoke(p.ctx, by, partner.NodeID, c.Why)
	})
}

type partnerListCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

// partnerView is one partner as "partner list --json" prints it.
type partnerView struct {
	Node      string    `json:"node"`
	Name      string    `json:"name"`
	Nation    string    `json:"nation"`
	Address   string    `json:"address,omitempty"`
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	Code      string    `json:"code,omitempty"`
	Clearance string    `json:"clearance,omitempty"`
	Since     time.Time `json:"since"`
	Keys      int       `json:"keys"`
	Protocol  int       `json:"protocol"`
}

func (c *partnerListCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.Line.Partners(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			out := make([]partnerView, 0, len(all))
			for _, x := range all {
				out = append(out, partnerView{x.NodeID, x.Name, x.Nation, x.Address, string(x.State), x.Reason, x.Code, string(x.Clearance), x.Since, x.Keys, x.Protocol})
			}
			return writeJSON(p, out)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, x := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.NodeID, x.Nation, x.Name, x.State, cleared(x), whereTo(x))
		}
		return w.Flush()
	})
}

// cleared says in a word what a partner may see.
func cleared(x line.Partner) string {
	if x.State == line.Comparing {
		return "code " + x.Code
	}
	if x.Clearance == nil {
		return "cleared for nothing"
	}
	c, err := stanag4774.ParseClearance(x.Clearance)
	if err != nil || len(c.Classifications) == 0 {
		return "its clearance cannot be read"
	}
	return c.PolicyName + " " + c.Classifications[len(c.Classifications)-1]
}

func whereTo(x line.Partner) string {
	if x.Address == "" {
		return "fetches for itself"
	}
	return x.Address
}

// liaison gives the person that works a line: a liaison or the security
// officer.
func (f byFlag) liaison(p *process, n *node.Node) (people.Person, error) {
	by, err := f.person(p.ctx, n)
	if err == nil && !by.Has(people.Liaison) && !by.Has(people.SecurityOfficer) {
		err = fmt.Errorf("%s is neither liaison nor security officer: %w", by.ID, errForbidden)
	}
	return by, err
}
