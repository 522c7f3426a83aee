package daemon

import (
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

func TestStagesAreRestrictedByTheirNames(t *testing.T) {
	for _, test := range []struct {
		patterns string
		security string
		want     string // of the stages below
	}{
		{"", podsBaseline, ""},
		{"", podsRestricted, "demo/shop/prod demo/shop/test acme/pay/prod"},
		{"demo/shop/prod", podsBaseline, "demo/shop/prod"},
		{"*/*/prod", podsBaseline, "demo/shop/prod acme/pay/prod"},
		{"demo/*/*", podsBaseline, "demo/shop/prod demo/shop/test"},
		{"demo/s*p/t*, acme/pay/prod", podsBaseline, "demo/shop/test acme/pay/prod"},
		{"other/*/*,demo/shop/pro", podsBaseline, ""},
	} {
		c := valid()
		c.RestrictedStages, c.PodSecurity = test.patterns, test.security
		if err := c.check(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range []setops.StageRef{
			{Organization: "demo", Project: "shop", Name: "prod"}, {Organization: "demo", Project: "shop", Name: "test"}, {Organization: "acme", Project: "pay", Name: "prod"},
		} {
			if c.restricted(s) {
				got = append(got, s.Organization+"/"+s.Project+"/"+s.Name)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: %v, want %s", test.patterns, got, test.want)
		}
	}
}

func TestWhatNamesNoStagesIsRefused(t *testing.T) {
	for _, pattern := range []string{"prod", "shop/prod", "demo/shop/prod/web", "demo//prod", "Demo/shop/prod", "demo/shop/[a-z]", "*"} {
		c := valid()
		c.RestrictedStages = pattern
		if err := c.check(); err == nil || !strings.Contains(err.Error(), "--restricted-stages") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}
