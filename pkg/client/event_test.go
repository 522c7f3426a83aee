package client

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func FuzzEventsOfAnyStreamEnd(f *testing.F) {
	f.Add("event: line\ndata: {}\n\n")
	f.Add(": x\r\n\r\ndata\n\ndata: a\ndata: b\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		events := 0
		err := readEvents(strings.NewReader(stream), func(e event) error {
			events++
			if e.name == "" && !strings.Contains(stream, "event") {
				t.Error("an event without a name")
			}
			return nil
		})
		if err == nil {
			t.Error("a stream ended without an error")
		}
		if events > strings.Count(stream, "\n") {
			t.Errorf("%d events of %q", events, stream)
		}
	})
}

func TestEventsAreReadAsTheyAreWritten(t *testing.T) {
	var got []string
	err := readEvents(strings.NewReader("retry: 3\n\ndata: a\ndata:b\n\nevent: end\nid: 7\ndata:\n\ndata: cut"), func(e event) error {
		got = append(got, e.name+"="+string(e.data))
		return nil
	})
	if want := "message=a\nb|end="; !errors.Is(err, io.EOF) || strings.Join(got, "|") != want {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
}

func TestAnEventHasTheIDOfTheLastOneThatNamedIts(t *testing.T) {
	var got []string
	_ = readEvents(strings.NewReader("data: a\n\nid: 7\ndata: b\n\ndata: c\n\nid: 8\n\ndata: d\n\nid: 9\x00\ndata: e\n\n"), func(e event) error {
		got = append(got, string(e.data)+e.id)
		return nil
	})
	if want := "a b7 c7 d8 e8"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
