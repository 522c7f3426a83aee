package setops

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// first gives the validator of what a check reports, "" for nothing.
func first(vs []Violation) Validator {
	if len(vs) == 0 {
		return ""
	}
	return vs[0].Validator
}

func TestNamesKeepTheirLengthAndShape(t *testing.T) {
	type rule struct {
		check             func(string) []Violation
		shortest, longest int
		shape             Validator
		dashes            bool
	}
	for noun, r := range map[string]rule{
		"project": {CheckProjectName, 3, 20, InvalidFormat, false},
		"stage":   {CheckStageName, 3, 12, StageNameInvalid, false},
		"app":     {CheckAppName, 3, 16, AppNameInvalid, true},
	} {
		dashed := r.shape
		if r.dashes {
			dashed = ""
		}
		for name, want := range map[string]Validator{
			"":                                Required,
			strings.Repeat("a", r.shortest-1): TooShort,
			strings.Repeat("a", r.shortest):   "",
			strings.Repeat("a", r.longest):    "",
			strings.Repeat("a", r.longest+1):  TooLong,
			"ab1":                             "",
			"1ab":                             r.shape,
			"Abc":                             r.shape,
			"a_b":                             r.shape,
			"äbc":                             r.shape,
			"abc\n":                           r.shape,
			"a-b":                             dashed,
		} {
			if got := first(r.check(name)); got != want {
				t.Errorf("%s name %q: %q, not %q", noun, name, got, want)
			}
		}
	}
}

func TestDigestsAreSHA256InLowerCase(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	for digest, valid := range map[string]bool{
		"sha256:" + hex:                     true,
		"sha256:" + strings.ToUpper(hex):    false,
		"sha256:" + hex[1:]:                 false,
		"sha256:" + hex + "0":               false,
		"sha512:" + hex:                     false,
		hex:                                 false,
		"":                                  false,
		"sha256:" + hex + "\n":              false,
		"sha256:" + strings.Repeat("g", 64): false,
	} {
		if got := CheckDigest(digest) == nil; got != valid {
			t.Errorf("digest %q: valid is %v", digest, got)
		}
	}
}

func TestResourcesComeInUnitsOf128(t *testing.T) {
	for value, want := range map[int]Validator{
		-128: GreaterThanOrEqual, 0: GreaterThanOrEqual, 127: GreaterThanOrEqual,
		128: "", 129: MultipleOfInvalid, 256: "", 1 << 20: "", 1<<20 + 128: LessThanOrEqual,
	} {
		if got := first(CheckResource("cpu", value)); got != want {
			t.Errorf("%d: %q, not %q", value, got, want)
		}
	}
}

func TestEnvKeysAreNamesThatNobodyElseUses(t *testing.T) {
	for key, want := range map[string]Validator{
		"": Required, "A": "", "_": "", "a1_": "", "1A": InvalidFormat, "A-B": InvalidFormat, "A B": InvalidFormat,
		strings.Repeat("A", 256): "", strings.Repeat("A", 257): TooLong,
		"PORT": Taken, "PORTS": Taken, "PROTOCOL": Taken, "APP_ENV_ID": Taken, "PORT_": "",
	} {
		if got := first(CheckEnvKey(key)); got != want {
			t.Errorf("key %q: %q, not %q", key, got, want)
		}
	}
}

func TestStatusListsAreCodesAndRanges(t *testing.T) {
	for list, valid := range map[string]bool{
		"200": true, "200,204": true, "200-499": true, "200-299,301": true, "100-599": true, "200-200": true,
		"": false, "20": false, "600": false, "099": false, "299-200": false, "200,": false, ",200": false, "200 ,204": false,
		"200--299": false, "200-": false, "2xx": false, "200-299-301": false,
	} {
		if got := CheckStatusList("s", list) == nil; got != valid {
			t.Errorf("%q: valid is %v", list, got)
		}
	}
}

func TestPathsStartWithASlashAndFitInARequestLine(t *testing.T) {
	for path, valid := range map[string]bool{
		"/": true, "/up": true, "/a?b=c": true, "/ü": true, "": false, "up": false, "/a b": false, "/a\r\nHost: x": false, "/\x7f": false,
	} {
		if got := CheckPath("p", path) == nil; got != valid {
			t.Errorf("%q: valid is %v", path, got)
		}
	}
}

func TestAnAppHasANetworkCheckWhenItIsPublicOrOneWasSet(t *testing.T) {
	for name, c := range map[string]struct {
		network Network
		want    string
	}{
		"private":      {Network{Protocol: HTTP}, "<nil>"},
		"public":       {Network{Protocol: HTTP, Public: true}, "&{http / 200-499}"},
		"path set":     {Network{Protocol: HTTP, HealthCheckPath: "/up"}, "&{http /up 200-499}"},
		"status set":   {Network{Protocol: HTTP, HealthCheckStatus: "204"}, "&{http / 204}"},
		"public, tcp":  {Network{Protocol: TCP, Public: true}, "&{tcp  }"},
		"private, tcp": {Network{Protocol: TCP}, "<nil>"},
	} {
		app := &App{Network: c.network}
		if got := fmt.Sprint(app.NetworkCheck()); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

func TestTheStartDeadlineIsTheChecksWorstCaseWhereThatIsLonger(t *testing.T) {
	app := NewApp("web")
	if got := app.StartDeadline(); got != time.Minute {
		t.Errorf("without a check it is %s", got)
	}
	app.Container.HealthCheck = &HealthCheck{Interval: 10, Timeout: 10, Retries: 5, StartPeriod: 15}
	if got := app.StartDeadline(); got != 115*time.Second {
		t.Errorf("with the default check it is %s", got)
	}
	app.Container.StartTimeout = 5
	if got := app.StartDeadline(); got != 5*time.Second {
		t.Errorf("set to 5 s it is %s", got)
	}
}

func TestAChangeOfACloneIsNoneOfTheOriginal(t *testing.T) {
	app := NewApp("web")
	app.Container.Command = []string{"a"}
	app.Container.HealthCheck = &HealthCheck{Command: []string{"check"}}
	app.Env = map[string]EnvVar{"K": {Value: "v"}}
	app.Releases = []Release{{ID: 1}}
	c := Spec{Apps: map[string]*App{"web": app}}.Clone().Apps["web"]
	c.Container.Command[0], c.Container.HealthCheck.Command[0], c.Releases[0].ID = "b", "other", 2
	c.Env["K"] = EnvVar{Value: "w"}
	if app.Container.Command[0] != "a" || app.Container.HealthCheck.Command[0] != "check" || app.Releases[0].ID != 1 || app.Env["K"].Value != "v" {
		t.Error("the original changed with its clone")
	}
}

func TestASealedValueIsNeverPrinted(t *testing.T) {
	for _, format := range []string{"%s", "%v", "%+v"} {
		if got := fmt.Sprintf(format, EnvVar{Value: "s1:secret"}); strings.Contains(got, "secret") {
			t.Errorf("%s shows %s", format, got)
		}
	}
}

func TestErrorsSayTheirMessageAndEachField(t *testing.T) {
	err := InvalidInput(ValidationFailed, slices.Concat(CheckResource("cpu", 1), CheckResource("memory", 129)))
	if got := err.Error(); !strings.Contains(got, "cpu: 1 is not between") || !strings.Contains(got, "memory: 129 is not a multiple") {
		t.Errorf("got %q", got)
	}
	if !IsCode(fmt.Errorf("stage: %w", Refuse(AppDoesNotExist, "no")), AppDoesNotExist) {
		t.Error("a wrapped error has lost its code")
	}
	if InvalidInput(ValidationFailed, nil) != nil {
		t.Error("nothing wrong is an error")
	}
}
