package render

import (
	"os"
	"time"

	"github.com/briandowns/spinner"
)

// frames turn the triangle clockwise, starting from wherever a phase starts.
var frames = []string{"◢", "◣", "◤", "◥"}

// spinning shows one spinner per phase. It is never started twice: the library may keep a stale stop for the second.
type spinning struct {
	out     *os.File
	phase   string
	running *spinner.Spinner
}

const spinInterval = 120 * time.Millisecond

func (s *spinning) change(p phase, text string) {
	if s.running != nil && p.name == s.phase {
		s.running.Lock()
		s.running.Suffix = " " + text
		s.running.FinalMSG = finalLine(p, text)
		s.running.Unlock()
		return
	}
	s.end()
	s.phase = p.name
	s.running = spinner.New(turnedTo(p.frame), spinInterval,
		spinner.WithWriterFile(s.out), spinner.WithSuffix(" "+text), spinner.WithFinalMSG(finalLine(p, text)))
	s.running.Start()
}

func (s *spinning) wait(p phase, text string) { s.change(p, text) }

func (s *spinning) end() {
	if s.running != nil {
		s.running.Stop()
		s.running = nil
	}
}

func finalLine(p phase, text string) string { return p.frame + " " + text + "\n" }

func turnedTo(first string) []string {
	for i, f := range frames {
		if f == first {
			return append(append([]string{}, frames[i:]...), frames[:i]...)
		}
	}
	return frames
}
