package definition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/setops"
)

func TestAliasesCannotMakeMuchWorkOfAShortFile(t *testing.T) {
	many := "schema_version: \"2\"\nx0: &x0 {a: 1}\n"
	for i := range 40 {
		many += fmt.Sprintf("x%d: &x%d {<<: [*x%d, *x%d, *x%d]}\n", i+1, i+1, i, i, i)
	}
	wide := "apps:\n  web: &a\n    env: &e\n"
	for i := range 2000 {
		wide += fmt.Sprintf("      K%d: {value: x}\n", i)
	}
	for i := range 2000 {
		wide += fmt.Sprintf("  web-%d: *a\n", i)
	}
	for name, file := range map[string]string{
		"merged into itself":       "schema_version: \"2\"\napps: &x {<<: [*x, *x]}\n",
		"an app that is in itself": "schema_version: \"2\"\napps: &x {web: *x}\n",
		"merged over and over":     many + "apps: {<<: *x40}\n",
		"a thousand apps":          "schema_version: \"2\"\n" + wide,
		"deep":                     strings.Repeat("[", 20_000),
		"deep maps":                "schema_version: \"2\"\napps:" + strings.Repeat(" {a:", 8_000),
	} {
		_, err := definition.Parse("f", []byte(file))
		if !setops.IsCode(err, setops.ValidationFailed) || len(err.Error()) > 10_000 {
			t.Errorf("%s: %.500v", name, err)
		}
	}
}
