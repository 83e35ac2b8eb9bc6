// Package summary is what a run comes to: the table and the findings, in text for a
// terminal, in Markdown and as a value for JSON.
package summary

import (
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/findings"
	"github.com/paceline/paceline/internal/bench/report/format"
)

// Summary is what a run comes to: the table, with a row for every stack, those that may be ranked
// first and otherwise in the order of the run, and the findings.
type Summary struct {
	Model    string           `json:"model"`
	Data     string           `json:"data"`
	Machine  string           `json:"machine"`
	Rows     []figures.Row    `json:"rows"`
	Loads    []figures.Load   `json:"loads,omitempty"` // arrival rates and scenarios
	Warnings []record.Warning `json:"warnings,omitempty"`
	Stress   bool             `json:"stress,omitempty"` // one load on one service, which is compared with nothing
	Swept    bool             `json:"-"`                // more was measured than rates, scenarios and goodput

	Leaders         []findings.Finding `json:"leaders"` // in each quantity of the table
	TradeOffs       []findings.Finding `json:"trade_offs"`
	Recommendations []findings.Finding `json:"recommendations"` // by use
	Claims          []findings.Verdict `json:"claims"`
}

// New computes the table and what follows from it.
func New(x *figures.Index) *Summary {
	m := x.Results.Manifest
	s := &Summary{
		Model:    format.ModelLine(m.Model),
		Data:     format.DataLine(m.Data),
		Machine:  format.MachineLine(m.Machine),
		Warnings: x.Results.Warnings,
	}
	s.Rows, s.Loads, s.Swept = x.SummaryRows(), x.Loads(), x.Swept()
	if s.Stress = isStress(x.Results.Cells); s.Stress {
		return s
	}
	s.Leaders, s.TradeOffs, s.Recommendations, s.Claims = findings.Leaders(x), findings.TradeOffs(x), findings.Recommendations(x), findings.Judge(x)
	return s
}

// Ranked says whether the run has what stacks are ranked by: a stress test is of one
// stack, and rates and scenarios alone are figures to be read, not rankings.
func (s *Summary) Ranked() bool { return !s.Stress && s.Swept }

// isStress says whether the records are of a stress test and of nothing else.
func isStress(cells []record.Cell) bool {
	return len(cells) > 0 && !slices.ContainsFunc(cells, func(c record.Cell) bool { return c.Sweep != record.SweepStress })
}
