package probe_test

import (
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/probe"
)

func TestStatusAcceptsTheCodesWritten(t *testing.T) {
	tests := []struct {
		text     string
		accepted []int
		refused  []int
	}{
		{"200", []int{200}, []int{199, 201}},
		{"200,204", []int{200, 204}, []int{201, 203, 205}},
		{"200-499", []int{200, 302, 499}, []int{199, 500}},
		{"200-299,301", []int{200, 299, 301}, []int{300, 302}},
		{"100-599", []int{100, 599}, []int{0, 99, 600}},
		{"404-404", []int{404}, []int{403, 405}},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			status, err := probe.ParseStatus(test.text)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range test.accepted {
				if !status.Accepts(code) {
					t.Errorf("%d is not accepted", code)
				}
			}
			for _, code := range test.refused {
				if status.Accepts(code) {
					t.Errorf("%d is accepted", code)
				}
			}
		})
	}
}

func TestMalformedStatusIsRefusedWithWhatIsAccepted(t *testing.T) {
	tests := map[string]string{
		"":            "a code is missing",
		"200,":        "a code is missing",
		",200":        "a code is missing",
		"200 ":        "white space",
		"200, 204":    "white space",
		"200\n":       "white space",
		"20":          `"20" is no status code`,
		"2000":        `"2000" is no status code`,
		"+200":        `"+200" is no status code`,
		"099":         `"099" is no status code`,
		"600":         `"600" is no status code`,
		"200-600":     `"600" is no status code`,
		"-200":        `"" is no status code`,
		"200-":        `"" is no status code`,
		"200-300-400": `"300-400" is no status code`,
		"299-200":     "the range 299-200 runs backwards",
		"2xx":         `"2xx" is no status code`,
		"200;204":     `"200;204" is no status code`,
	}
	for text, reason := range tests {
		_, err := probe.ParseStatus(text)
		if err == nil {
			t.Errorf("%q is accepted", text)
			continue
		}
		for _, part := range []string{reason, "from 100 to 599", "200-299,301"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error of %q lacks %q: %s", text, part, err)
			}
		}
	}
}

func TestZeroStatusAcceptsNothing(t *testing.T) {
	var none probe.Status
	if none.Accepts(200) || none.Accepts(0) || none.String() != "" {
		t.Errorf("the zero status accepts codes or shows as %q", none)
	}
}

func FuzzParseStatus(f *testing.F) {
	for _, seed := range []string{"200", "200,204", "200-499", "200-299,301", "", " 200", "2-3", "599-100", "200--"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		status, err := probe.ParseStatus(text)
		if err != nil {
			if status.String() != "" {
				t.Fatalf("%q is refused, yet gives %q", text, status)
			}
			return
		}
		again, err := probe.ParseStatus(status.String())
		if err != nil {
			t.Fatalf("%q shows as %q, which is refused: %v", text, status, err)
		}
		for code := range 700 {
			if status.Accepts(code) != again.Accepts(code) {
				t.Fatalf("%q and %q differ on %d", text, status, code)
			}
			if status.Accepts(code) && (code < 100 || code > 599) {
				t.Fatalf("%q accepts %d", text, code)
			}
		}
	})
}
