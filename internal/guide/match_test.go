package guide

import (
	"strings"
	"testing"
)

const (
	taskA, taskB = "396a2ede3d4ef3a7db4a0d449cd45427", "befde274618790ddeda657b68aae18ee"
	realA, realB = "00000000000000000000000000000001", "00000000000000000000000000000002"
	digest       = "sha256:10fa866df09cca020f6d3a7d04f3a31f94932051b386eb65e3f079e20f79df3c"
	realDigest   = "sha256:0000000000000000000000000000000000000000000000000000000000000001"
)

func TestWhatComesOutIsComparedWithTheGuide(t *testing.T) {
	for name, c := range map[string]struct {
		want, got string
		same      bool
	}{
		"equal":                          {"a\nb", "a\nb\n", true},
		"another line":                   {"a", "b", false},
		"a line more":                    {"a", "a\nb", false},
		"a line less":                    {"a\nb", "a", false},
		"a blank line at the end":        {"a", "a\n\n", true},
		"a blank line at the start":      {"a", "\na", false},
		"signs of expressions":           {"a+ (b)*", "a+ (b)*", true},
		"signs are no expression":        {"a+", "aa", false},
		"any lines":                      {"a\n[...]\nz", "a\nb\nc\nz", true},
		"no line is any lines":           {"a\n[...]\nz", "a\nz", true},
		"any lines end somewhere":        {"[...]\nz", "a\nb", false},
		"any text in a line":             {"[...] 200", "   15 200", true},
		"any text stays in its line":     {"a [...] z", "a\nz", false},
		"another time":                   {"At 2026-11-23T20:57:24Z", "At 2031-01-01T00:00:00Z", true},
		"no time":                        {"At 2026-11-23T20:57:24Z", "At -", false},
		"another form of time":           {"2026-11-23 20:57:24 x", "2026-11-23T20:57:24Z x", false},
		"another digest":                 {digest, realDigest, true},
		"half a digest":                  {digest, realDigest[:40], false},
		"another task":                   {taskA + " a", realA + " a", true},
		"two tasks":                      {taskA + "\n" + taskB, realA + "\n" + realB, true},
		"one task in place of two":       {taskA + "\n" + taskB, realA + "\n" + realA, false},
		"two tasks in place of one":      {taskA + "\n" + taskA, realA + "\n" + realB, false},
		"the same task twice":            {taskA + "\n" + taskA, realA + "\n" + realA, true},
		"a task where a digest would be": {digest, realA, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := (memory{}).match(c.want, c.got); (err == nil) != c.same {
				t.Errorf("match(%q, %q) = %v", c.want, c.got, err)
			}
		})
	}
}

func TestAValueMeansTheSameLater(t *testing.T) {
	m := memory{}
	if err := m.match("ID: "+taskA, "ID: "+realA); err != nil {
		t.Fatal(err)
	}
	if got := m.fill("log --task " + taskA); got != "log --task "+realA {
		t.Errorf("the command became %q", got)
	}
	if err := m.match(taskA, realA); err != nil {
		t.Error(err)
	}
	if err := m.match(taskA, realB); err == nil {
		t.Error("another task was taken for the same")
	}
	if err := m.match(taskB, realA); err == nil {
		t.Error("the same task was taken for another")
	}
}

func TestADifferenceIsShown(t *testing.T) {
	err := (memory{}).match("a\nb", "a\nc")
	if err == nil || !strings.Contains(err.Error(), "-b\n+c\n") {
		t.Errorf("got %v", err)
	}
}
