package render

import (
	"fmt"
	"io"
	"os"

	"github.com/setopsco/setops/pkg/api"
)

// phase is a phase of a commit with the frame that stays in front of it.
type phase struct{ name, text, frame string }

// phases are those of a commit that goes well, in order.
var phases = []phase{
	{"initializing", "Initializing…", "◢"},
	{"planning", "Planning…", "◤"},
	{"applying", "Applying…", "◣"},
}

// What can come before and behind them.
var (
	waiting = phase{name: "waiting", frame: "◥"}
	undoing = phase{"undoing", "Undoing…", "◥"}
)

// Progress shows how a commit goes on. Both forms show every phase and every step even where the server told several
// at once. The zero value is not ready: use NewProgress.
type Progress struct {
	view   view
	phase  int // index into phases of what is shown; -1: nothing yet
	step   int // steps shown as done
	ahead  int // commits shown to be waited for
	undoes bool
}

// view is one way to show progress: change is called for every line, wait for what only a moving picture shows, end when
// nothing follows.
type view interface {
	change(p phase, text string)
	wait(p phase, text string)
	end()
}

// NewProgress shows progress on w: plain lines, one for each change, or a spinner where w is a terminal that can
// show it.
func NewProgress(w io.Writer, animated bool) *Progress {
	if f, ok := w.(*os.File); ok && animated {
		return &Progress{view: &spinning{out: f}, phase: -1}
	}
	return &Progress{view: lines{w}, phase: -1}
}

// Update shows p and what was left out before it.
func (g *Progress) Update(p api.Progress) {
	if p.State == "queued" {
		g.queued(p.Ahead)
		return
	}
	for i := range phases {
		if i > g.phase && i <= phaseIndex(p) {
			g.phase = i
			if phases[i].name != "applying" {
				g.view.change(phases[i], phases[i].text)
			}
		}
	}
	if g.phase == len(phases)-1 && !g.undoes {
		g.applied(p)
	}
	if p.Phase == undoing.name && !g.undoes {
		g.undoes = true
		g.view.change(undoing, undoing.text)
	}
}

// queued shows how many commits are before this one, where there are any.
func (g *Progress) queued(ahead int) {
	if ahead > 0 && ahead != g.ahead && g.phase < 0 {
		g.view.change(waiting, counted(ahead, "Waiting for 1 other commit…", "Waiting for %d other commits…"))
	}
	g.ahead = ahead
}

// applied shows each step that is done.
func (g *Progress) applied(p api.Progress) {
	applying := phases[g.phase]
	if g.step == 0 && p.Total > 0 {
		g.view.wait(applying, g.applying(p.Total))
	}
	for g.step < p.Done {
		g.step++
		g.view.change(applying, g.applying(p.Total))
	}
}

func (g *Progress) applying(total int) string {
	return fmt.Sprintf("%s (%d/%d)", phases[g.phase].text, g.step, total)
}

// End leaves what was shown on the screen and gives the line free.
func (g *Progress) End() { g.view.end() }

// phaseIndex takes the phase of a commit that is done for its last one: a short commit may tell nothing else. One that is
// undone had come to its steps if it has any.
func phaseIndex(p api.Progress) int {
	if p.State == "done" || p.Phase == undoing.name && p.Total > 0 {
		return len(phases) - 1
	}
	for i, phase := range phases {
		if phase.name == p.Phase {
			return i
		}
	}
	return -1
}

type lines struct{ w io.Writer }

func (l lines) change(_ phase, text string) { _, _ = fmt.Fprintln(l.w, text) }
func (lines) wait(phase, string)            {}
func (lines) end()                          {}
