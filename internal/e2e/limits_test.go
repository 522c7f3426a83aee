package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestEveryLimitIsKept stages values at both ends of every rule and just outside them. What is outside is refused by the
// documented validator of the documented field, and changes nothing.
func TestEveryLimitIsKept(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	commands := production + "/changeset/commands"
	one := func(name, arguments string) string {
		return `{"commands":[{"name":"` + name + `","arguments":` + arguments + `}]}`
	}
	w.must(t, token, "POST", commands, `{"commands":[{"name":"app:create","arguments":{"name":"web"}},{"name":"app:create","arguments":{"name":"proxy"}}]}`)
	w.must(t, token, "POST", commands, one("app:network:set", `{"name":"proxy","protocol":"tcp"}`))
	staged := func() string { return string(w.must(t, token, "GET", production+"/changeset", "")) }

	for _, rule := range []struct {
		command, field string
		value          string // of the argument: a format with %s
		inside         []string
		outside        map[string]string // value → validator
	}{
		{"app:create", "name", `{"name":%s}`, []string{`"abc"`, `"a-1"`, `"a234567890123456"`}, map[string]string{
			`""`: "required", `"ab"`: "too_short", `"a2345678901234567"`: "too_long", `"1ab"`: "app_name_invalid",
			`"Abc"`: "app_name_invalid", `"a_b"`: "app_name_invalid", `"a.b"`: "app_name_invalid", `"äbc"`: "app_name_invalid",
			`"-ab"`: "app_name_invalid", `"abc\n"`: "app_name_invalid", `7`: "invalid",
		}},
		{"app:resource:set", "cpu", `{"name":"web","cpu":%s}`, []string{"128", "1024", "1048576"}, map[string]string{
			"0": "greater_than_or_equal_to_threshold", "127": "greater_than_or_equal_to_threshold", "129": "multiple_of_invalid",
			"-128": "greater_than_or_equal_to_threshold", "1048704": "less_than_or_equal_to_threshold", "128.5": "not_an_integer",
		}},
		{"app:resource:set", "memory", `{"name":"web","memory":%s}`, []string{"128", "512"}, map[string]string{
			"64": "greater_than_or_equal_to_threshold", "200": "multiple_of_invalid", `"512"`: "not_an_integer",
			"9223372036854775807": "less_than_or_equal_to_threshold",
		}},
		{"app:resource:set", "scale", `{"name":"web","scale":%s}`, []string{"0", "1", "16"}, map[string]string{
			"-1": "greater_than_or_equal_to_threshold", "17": "less_than_or_equal_to_threshold",
		}},
		{"app:network:set", "protocol", `{"name":"web","protocol":%s}`, []string{`"tcp"`, `"http"`}, map[string]string{
			`"udp"`: "not_included", `"HTTP"`: "not_included", `""`: "not_included",
		}},
		{"app:network:set", "port", `{"name":"web","port":%s}`, []string{"1", "65535"}, map[string]string{
			"0": "greater_than_or_equal_to_threshold", "65536": "less_than_or_equal_to_threshold",
		}},
		{"app:network:set", "health_check_path", `{"name":"web","health_check_path":%s}`, []string{`"/"`, `"/up?x=1"`}, map[string]string{
			`""`: "invalid_format", `"up"`: "invalid_format", `"/a b"`: "invalid_format", `"/a\r\nHost: x"`: "invalid_format",
		}},
		{"app:network:set", "health_check_status", `{"name":"web","health_check_status":%s}`, []string{`"200"`, `"200,204"`, `"200-299,301"`, `"100-599"`}, map[string]string{
			`""`: "invalid_format", `"99"`: "invalid_format", `"600"`: "invalid_format", `"299-200"`: "invalid_format",
			`"200,"`: "invalid_format", `"200;204"`: "invalid_format", `"2xx"`: "invalid_format",
		}},
		{"app:network:set", "health_check_path", `{"name":"proxy","health_check_path":%s}`, nil, map[string]string{`"/"`: "invalid"}},
		{"app:network:set", "health_check_status", `{"name":"proxy","health_check_status":%s}`, nil, map[string]string{`"200"`: "invalid"}},
		{"app:container:set", "health_check.interval", `{"name":"web","health_check":{"command":["true"],"interval":%s}}`, []string{"1", "300"}, map[string]string{
			"0": "greater_than_or_equal_to_threshold", "301": "less_than_or_equal_to_threshold",
		}},
		{"app:container:set", "health_check.timeout", `{"name":"web","health_check":{"command":["true"],"timeout":%s}}`, []string{"1", "60"}, map[string]string{
			"0": "greater_than_or_equal_to_threshold", "61": "less_than_or_equal_to_threshold",
		}},
		{"app:container:set", "health_check.retries", `{"name":"web","health_check":{"command":["true"],"retries":%s}}`, []string{"1", "30"}, map[string]string{
			"0": "greater_than_or_equal_to_threshold", "31": "less_than_or_equal_to_threshold",
		}},
		{"app:container:set", "health_check.start_period", `{"name":"web","health_check":{"command":["true"],"start_period":%s}}`, []string{"0", "300"}, map[string]string{
			"-1": "greater_than_or_equal_to_threshold", "301": "less_than_or_equal_to_threshold",
		}},
		{"app:container:set", "health_check.command", `{"name":"web","health_check":{"command":%s}}`, []string{`["a","b"]`}, map[string]string{
			`[]`: "required", `[""]`: "required",
		}},
		{"app:container:set", "stop_timeout", `{"name":"web","stop_timeout":%s}`, []string{"60", "3600"}, map[string]string{
			"59": "greater_than_or_equal_to_threshold", "3601": "less_than_or_equal_to_threshold",
		}},
		{"app:container:set", "start_timeout", `{"name":"web","start_timeout":%s}`, []string{"1", "3600"}, map[string]string{
			"0": "greater_than_or_equal_to_threshold", "3601": "less_than_or_equal_to_threshold",
		}},
		{"app:container:set", "command", `{"name":"web","command":%s}`, []string{`["a","b c"]`, `["a 'b c'"]`}, map[string]string{
			`[]`: "required", `["a 'b"]`: "invalid_format", `["  "]`: "required",
		}},
		{"app:env:set", "key", `{"name":"web","value":"x","key":%s}`, []string{`"A"`, `"_a1"`, quoted("K", 256)}, map[string]string{
			`""`: "required", `"1A"`: "invalid_format", `"A-B"`: "invalid_format", `"A=B"`: "invalid_format", quoted("K", 257): "too_long",
			`"APP_ENV_ID"`: "taken", `"PORT"`: "taken", `"PORTS"`: "taken", `"PROTOCOL"`: "taken",
		}},
		{"app:env:set", "value", `{"name":"web","key":"LONG","value":%s}`, []string{`""`, quoted("x", 128<<10-len("LONG=")-1)}, map[string]string{
			quoted("x", 128<<10-len("LONG=")): "too_long", `"a\u0000b"`: "invalid",
		}},
		{"app:env:unset", "key", `{"name":"web","key":%s}`, []string{`"A"`}, map[string]string{`"NOT_THERE"`: "not_found", `""`: "not_found"}},
		{"app:container:unset", "fields[0]", `{"name":"web","fields":[%s]}`, []string{`"command"`, `"health_check"`, `"stop_timeout"`}, map[string]string{
			`"colour"`: "not_included", `""`: "not_included",
		}},
	} {
		for value, validator := range rule.outside {
			t.Run(fmt.Sprintf("%s %s is not %.40s", rule.command, rule.field, value), func(t *testing.T) {
				before := staged()
				a := w.do(t, request{method: "POST", path: commands, token: token, body: one(rule.command, fmt.Sprintf(rule.value, value))})
				if a.status != http.StatusUnprocessableEntity {
					t.Fatalf("%d %.300s", a.status, a.body)
				}
				r := refused(t, a)
				if got := r.ValidationErrors[rule.field]; len(r.ValidationErrors) != 1 || len(got) != 1 || got[0] != validator {
					t.Errorf("%v, not %s: %s; %s", r.ValidationErrors, rule.field, validator, r.Message)
				}
				if staged() != before {
					t.Error("something was staged")
				}
			})
		}
		for _, value := range rule.inside {
			t.Run(fmt.Sprintf("%s %s can be %.40s", rule.command, rule.field, value), func(t *testing.T) {
				a := w.do(t, request{method: "POST", path: commands, token: token, body: one(rule.command, fmt.Sprintf(rule.value, value))})
				if a.status != http.StatusOK {
					t.Errorf("%d %.300s", a.status, a.body)
				}
			})
		}
	}
}

func TestNamesOfProjectsAndStagesHaveLimits(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	for _, rule := range []struct {
		path, code string
		inside     []string
		outside    map[string]string
	}{
		{"/v1/organizations/demo/projects", "ProjectNameInvalid", []string{"abc", "a2345678901234567890"}, map[string]string{
			"": "required", "ab": "too_short", "a23456789012345678901": "too_long", "1abc": "invalid_format", "a-b": "invalid_format",
			"Abc": "invalid_format", "a/b": "invalid_format", "abc\n": "invalid_format",
		}},
		{shop + "/stages", "StageNameInvalid", []string{"abc", "a23456789012"}, map[string]string{
			"": "required", "ab": "too_short", "a234567890123": "too_long", "1abc": "stage_name_invalid", "a-b": "stage_name_invalid",
		}},
	} {
		for name, validator := range rule.outside {
			a := w.do(t, request{method: "POST", path: rule.path, token: token, body: fmt.Sprintf(`{"name":%q}`, name)})
			if a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s %q: %d %s", rule.path, name, a.status, a.body)
				continue
			}
			if r := refused(t, a); *r.Code != rule.code || strings.Join(r.ValidationErrors["name"], " ") != validator {
				t.Errorf("%s %q: %s", rule.path, name, a.body)
			}
		}
		for _, name := range rule.inside {
			w.must(t, token, "POST", rule.path, fmt.Sprintf(`{"name":%q}`, name))
		}
	}
}

func quoted(letter string, n int) string { return `"` + strings.Repeat(letter, n) + `"` }
