package guide

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Guide is what is to be done, in order.
type Guide []Part

// Part is a heading, a step, or the place to stay at.
type Part struct {
	Heading string // with its #
	Step    *Step
	Stay    bool
}

// Step is a block of commands and what comes out of them.
type Step struct {
	Line       int // of the commands in the guide
	Command    string
	Want       string
	Compared   bool // whether the guide says what comes out
	Exit       int
	Eventually bool
	Server     bool
	Docker     bool
}

// Split cuts a guide where the demo stays up.
func (g Guide) Split() (before, after Guide) {
	for i, part := range g {
		if part.Stay {
			return g[:i], g[i+1:]
		}
	}
	return g, nil
}

const (
	fence        = "```"
	shellFence   = "```shell"
	commentStart = "<!-- guide: "
	commentEnd   = " -->"
)

// Parse reads a guide. It refuses what it would have to leave out: a fence that does not end, a comment that it does
// not know or that belongs to no block.
func Parse(markdown string) (Guide, error) {
	p := parser{lines: strings.Split(markdown, "\n")}
	for p.next < len(p.lines) {
		if err := p.line(); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.next, err)
		}
	}
	if p.said {
		return nil, errors.New("a comment for the guide at the end belongs to no block")
	}
	return p.guide, nil
}

type parser struct {
	lines []string
	next  int
	guide Guide
	step  Step // what comments have said of the next block
	said  bool
}

func (p *parser) line() error {
	line := p.lines[p.next]
	p.next++
	switch {
	case strings.HasPrefix(line, commentStart):
		return p.comment(strings.TrimSuffix(strings.TrimPrefix(line, commentStart), commentEnd))
	case line == shellFence:
		return p.commands()
	case strings.HasPrefix(line, fence):
		_, err := p.block()
		return err
	case strings.HasPrefix(line, "#"):
		p.guide = append(p.guide, Part{Heading: line})
	case strings.HasPrefix(strings.TrimSpace(line), fence):
		return errors.New("a block is indented, which the player does not read")
	}
	return nil
}

func (p *parser) comment(text string) (err error) {
	word, rest, _ := strings.Cut(text, " ")
	p.said = true
	switch word {
	case "exit":
		p.step.Exit, err = strconv.Atoi(rest)
	case "eventually":
		p.step.Eventually = true
	case "server":
		p.step.Server = true
	case "docker":
		p.step.Docker = true
	case "stay":
		p.said = false
		p.guide = append(p.guide, Part{Stay: true})
	default:
		return fmt.Errorf("unknown comment for the guide: %s", text)
	}
	return err
}

func (p *parser) commands() (err error) {
	step := p.step
	p.step, p.said = Step{}, false
	step.Line = p.next + 1
	if step.Command, err = p.block(); err != nil {
		return err
	}
	following := p.next
	for following < len(p.lines) && p.lines[following] == "" {
		following++
	}
	if following < len(p.lines) && p.lines[following] == fence {
		p.next = following + 1
		step.Compared = true
		if step.Want, err = p.block(); err != nil {
			return err
		}
	}
	p.guide = append(p.guide, Part{Step: &step})
	return nil
}

// block reads to the end of a block.
func (p *parser) block() (string, error) {
	for i := p.next; i < len(p.lines); i++ {
		if p.lines[i] == fence {
			text := strings.Join(p.lines[p.next:i], "\n")
			p.next = i + 1
			return text, nil
		}
	}
	return "", errors.New("a block does not end")
}
