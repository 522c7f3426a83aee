package domain

import (
	"fmt"
	"strings"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// say gives the lines that explain a domain to its owner; none where there is nothing to do.
func say(ref client.AppRef, d api.Domain) []string {
	setops := fmt.Sprintf("setops -p %s -s %s", ref.Project, ref.Stage)
	public := fmt.Sprintf("`%s --app %s network:set public true`", setops, ref.App)
	switch {
	case d.Kind == "private":
		return []string{
			fmt.Sprintf("This is the private domain of app %s, which cannot be deleted. Only apps and tasks of stage %s reach it,", ref.App, ref.Stage),
			fmt.Sprintf("at port %d.", d.Port),
		}
	case d.Kind == "default" && d.Public:
		return []string{fmt.Sprintf("This is the default domain of app %s, which cannot be deleted.", ref.App)}
	case d.Kind == "default":
		return []string{
			fmt.Sprintf("This is the default domain of app %s, which cannot be deleted. It answers once the app is public:", ref.App),
			public + ".",
		}
	case !d.Validated:
		return []string{
			"⏳ The domain is not validated, so nothing is served there yet. Publish the records below in DNS, then type",
			fmt.Sprintf("`%s --app %s domain:validate %s` and `%s changeset:commit`.", setops, ref.App, quoted(d.Address), setops),
		}
	case !d.Public:
		return []string{"The app is not public, so nothing is served there: " + public + "."}
	}
	return nil
}

// quoted keeps a shell from taking a wildcard for names of files.
func quoted(domain string) string {
	if strings.HasPrefix(domain, "*") {
		return "'" + domain + "'"
	}
	return domain
}
