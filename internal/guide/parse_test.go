package guide

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const sample = `# A guide

Words.

<!-- guide: exit 78 -->
<!-- guide: eventually -->
` + "```shell\nsetops one\nsetops two\n```\n```\nnothing\n```\n" + `
## Later

<!-- guide: docker -->
` + "```shell\ndocker push\n```\n\nWords between.\n\n```\nnot what comes out\n```\n" + `
<!-- guide: stay -->
## At last
` + "```yaml\n# no heading\n```\n```shell\nsetops end\n```\n"

func TestAGuideIsReadIntoItsSteps(t *testing.T) {
	got, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	want := Guide{
		{Heading: "# A guide"},
		{Step: &Step{Line: 8, Command: "setops one\nsetops two", Want: "nothing", Compared: true, Exit: 78, Eventually: true}},
		{Heading: "## Later"},
		{Step: &Step{Line: 19, Command: "docker push", Docker: true}},
		{Stay: true},
		{Heading: "## At last"},
		{Step: &Step{Line: 34, Command: "setops end"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
	before, after := got.Split()
	if len(before) != 4 || len(after) != 2 {
		t.Errorf("cut into %d and %d parts", len(before), len(after))
	}
}

func show(g Guide) string {
	var b strings.Builder
	for _, p := range g {
		if p.Step != nil {
			fmt.Fprintf(&b, "%+v", *p.Step)
		}
		b.WriteString(p.Heading + "\n")
	}
	return b.String()
}

func TestAGuideThatWouldBeReadWronglyIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"```shell\nsetops":                 "line 1: a block does not end",
		"```shell\nsetops\n```\n```\nout":  "line 4: a block does not end",
		"1. Do\n   ```shell\n   x\n   ```": "line 2: a block is indented",
		"<!-- guide: evntually -->":        "line 1: unknown comment",
		"<!-- guide: exit -->":             `line 1: strconv.Atoi: parsing ""`,
		"<!-- guide: docker -->\n":         "belongs to no block",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
