package render

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/briandowns/spinner"
	"github.com/setopsco/setops/pkg/api"
)

// phases are the phases of a commit in order, each with the frame that stays in front of it.
var phases = []struct{ name, text, frame string }{
	{"initializing", "Initializing…", "◢"},
	{"planning", "Planning…", "◤"},
	{"applying", "Applying…", "◣"},
}

// frames turn the triangle clockwise, starting from wherever a phase starts.
var frames = []string{"◢", "◣", "◤", "◥"}

// Progress shows how a commit goes on. Both forms show every phase and every step even where the server told several
// at once. The zero value is not ready: use NewProgress.
type Progress struct {
	view  view
	phase int // index into phases of what is shown; -1: nothing yet
	step  int // steps shown as done
}

// view is one way to show progress: change is called for every line, wait for what only a moving picture shows, end when
// nothing follows.
type view interface {
	change(phase int, text string)
	wait(phase int, text string)
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
	for i := range phases {
		if i > g.phase && i <= phaseIndex(p) {
			g.phase = i
			if phases[i].name != "applying" {
				g.view.change(i, phases[i].text)
			}
		}
	}
	if phases[max(g.phase, 0)].name != "applying" {
		return
	}
	if g.step == 0 && p.Total > 0 {
		g.view.wait(g.phase, g.applying(p.Total))
	}
	for g.step < p.Done {
		g.step++
		g.view.change(g.phase, g.applying(p.Total))
	}
}

func (g *Progress) applying(total int) string {
	return fmt.Sprintf("%s (%d/%d)", phases[g.phase].text, g.step, total)
}

// End leaves what was shown on the screen and gives the line free.
func (g *Progress) End() { g.view.end() }

// phaseIndex takes the phase of a commit that is done for its last one: a short commit may tell nothing else.
func phaseIndex(p api.Progress) int {
	if p.State == "done" {
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

func (l lines) change(_ int, text string) { _, _ = fmt.Fprintln(l.w, text) }
func (lines) wait(int, string)            {}
func (lines) end()                        {}

// spinning shows one spinner per phase. It is never started twice: the library may keep a stale stop for the second.
type spinning struct {
	out     *os.File
	phase   int
	running *spinner.Spinner
}

const spinInterval = 120 * time.Millisecond

func (s *spinning) change(phase int, text string) {
	if s.running != nil && phase == s.phase {
		s.running.Lock()
		s.running.Suffix = " " + text
		s.running.FinalMSG = finalLine(phase, text)
		s.running.Unlock()
		return
	}
	s.end()
	s.phase = phase
	s.running = spinner.New(turnedTo(phases[phase].frame), spinInterval,
		spinner.WithWriterFile(s.out), spinner.WithSuffix(" "+text), spinner.WithFinalMSG(finalLine(phase, text)))
	s.running.Start()
}

func (s *spinning) wait(phase int, text string) { s.change(phase, text) }

func (s *spinning) end() {
	if s.running != nil {
		s.running.Stop()
		s.running = nil
	}
}

func finalLine(phase int, text string) string { return phases[phase].frame + " " + text + "\n" }

func turnedTo(first string) []string {
	for i, f := range frames {
		if f == first {
			return append(append([]string{}, frames[i:]...), frames[:i]...)
		}
	}
	return frames
}
