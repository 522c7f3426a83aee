package httpapi

import (
	"encoding/json"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/domain"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/pkg/api"
)

func text(t *testing.T, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestADomainIsWrittenWithWhatItHas(t *testing.T) {
	app := setops.NewApp("web")
	app.Network.Public = true
	for want, e := range map[string]domain.Entry{
		`{"address":"a.example","kind":"custom","primary":true,"validated":false,"static_ip":true,"redirect_to_primary":true,` +
			`"record":{"name":"a.example","type":"CNAME","values":["web.x"]},"alternatives":[{"name":"a.example","type":"A","values":["192.0.2.1","192.0.2.2"]}],` +
			`"validation":{"name":"_1.a.example.","type":"CNAME","values":["_2.validation.x."]},"public":true,"certificate":{"state":"failed","reason":"why"}}`: {
			Address: "a.example", Kind: domain.Custom, Domain: setops.Domain{Primary: true, StaticIP: true},
			Record:       domain.Record{Name: "a.example", Type: "CNAME", Values: []string{"web.x"}},
			Alternatives: []domain.Record{{Name: "a.example", Type: "A", Values: []string{"192.0.2.1", "192.0.2.2"}}},
			Validation:   domain.Record{Name: "_1.a.example.", Type: "CNAME", Values: []string{"_2.validation.x."}},
			Certificate:  "failed", Reason: "why",
		},
		`{"address":"web.x","kind":"default","primary":false,"validated":true,"static_ip":false,"redirect_to_primary":true,"port":20000,"public":true}`: {
			Address: "web.x", Kind: domain.Default, Domain: setops.Domain{Validated: true}, Port: 20000,
		},
	} {
		if got := text(t, wireDomain(app, e)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAnAppShowsItsDomainsThePrimaryOneFirst(t *testing.T) {
	app := setops.NewApp("web")
	if got := text(t, wireCustomDomains(app)); got != `[]` {
		t.Errorf("without any: %s", got)
	}
	app.Domains = map[string]setops.Domain{"a.example": {Validated: true}, "c.example": {}, "b.example": {Primary: true}}
	want := `[{"address":"b.example","primary":true,"validated":false},{"address":"a.example","primary":false,"validated":true},` +
		`{"address":"c.example","primary":false,"validated":false}]`
	if got := text(t, wireCustomDomains(app)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheEffectOfACommandAboutADomainIsTheDomainAsItWillBe(t *testing.T) {
	before, after := setops.NewApp("web"), setops.NewApp("web")
	before.Domains = map[string]setops.Domain{"a.example": {Primary: true}, "b.example": {}}
	after.Domains = map[string]setops.Domain{"a.example": {}, "b.example": {Primary: true, StaticIP: true}}
	b := `"custom_domain":{"address":"b.example","primary":true,"validated":false}`
	for want, c := range map[string]changeset.Command{
		`{` + b + `,"former_primary":"a.example"}`:                                    &changeset.DomainCreate{Domain: "b.example", Primary: true},
		`{` + b + `,"primary":true,"former_primary":"a.example"}`:                     &changeset.DomainOptionSet{Domain: "b.example", Primary: new(true)},
		`{` + b + `,"static_ip":true,"former_primary":"a.example"}`:                   &changeset.DomainOptionUnset{Domain: "b.example", Fields: []string{"static_ip"}},
		`{"custom_domain":{"address":"a.example","primary":false,"validated":false}}`: &changeset.DomainValidate{Domain: "a.example"},
		`{"custom_domain":{"address":"z.example","primary":false,"validated":false}}`: &changeset.DomainDestroy{Domain: "z.example"},
		`{}`: &changeset.AppCreate{},
	} {
		var e api.Effect
		domainEffect(&e, staging.Result{Command: c, Before: before, App: after})
		if got := text(t, e); got != want {
			t.Errorf("%T: %s, not %s", c, got, want)
		}
	}
	var e api.Effect
	domainEffect(&e, staging.Result{Command: &changeset.DomainCreate{Domain: "b.example"}, Before: before})
	if got := text(t, e); got != `{}` {
		t.Errorf("of an app that is destroyed in the same list: %s", got)
	}
}
