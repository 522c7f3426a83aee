package logfile

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func FuzzWhatIsWrittenAsALineIsReadAsIt(f *testing.F) {
	f.Add(int64(0), "app", "GET / 200")
	f.Add(int64(1), "system", "")
	f.Fuzz(func(t *testing.T, nanoseconds int64, source, text string) {
		if source == "" || strings.ContainsAny(source, " \n") || strings.Contains(text, "\n") {
			t.Skip("not what Append takes")
		}
		at := time.Unix(0, nanoseconds).UTC()
		raw := appendLine(nil, at, source, text)
		l, ok := parseLine("task", bytes.TrimSuffix(raw, []byte{'\n'}))
		if !ok || !l.Time.Equal(at) || l.Source != source || l.Text != text || l.Name != "task" {
			t.Errorf("%q became %+v", raw, l)
		}
	})
}

func FuzzWhatIsNotALineIsLeftOut(f *testing.F) {
	f.Add([]byte("2026-10-05T12:00:00Z app hello"))
	f.Add([]byte("2026-10-05T12:00:"))
	f.Add([]byte("\x00\x00\x00 app x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, ok := parseLine("task", raw)
		if ok && !bytes.HasSuffix(raw, []byte(" "+l.Source+" "+l.Text)) {
			t.Errorf("%q became %+v", raw, l)
		}
	})
}

func TestFilesThatAreNoSegmentsAreLeftAlone(t *testing.T) {
	for file, want := range map[string]string{
		"task.1.log": "task", "a.b.12.log": "a.b", "task.log": "", "task.0.log": "", "task.x.log": "", ".1.log": "", "task.1.log.new": "",
	} {
		name, _, ok := parseSegment(file)
		if !ok {
			name = ""
		}
		if name != want {
			t.Errorf("%s: got %q, want %q", file, name, want)
		}
	}
}
