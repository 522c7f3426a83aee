package auth

import (
	"context"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

// TestTheRoleTable is the table of the documentation, with a row for nobody and one for whoever has both roles.
func TestTheRoleTable(t *testing.T) {
	actions := Actions() // see project and stage; create stage; destroy stage and project; see and manage users of project and of stage; audit of both
	for name, row := range map[string]struct {
		project, stage setops.Role
		allowed        string // an x for each action
	}{
		"nobody":                          {"", "", "- - - - - - - - - - -"},
		"project admin":                   {setops.Admin, "", "x x x x x x x x x x x"},
		"project member":                  {setops.Member, "", "x x - - - x - x - - -"},
		"stage admin":                     {"", setops.Admin, "x x - x - - - x x - x"},
		"stage member":                    {"", setops.Member, "x x - - - - - x - - -"},
		"project member and stage admin":  {setops.Member, setops.Admin, "x x - x - x - x x - x"},
		"project admin and stage member":  {setops.Admin, setops.Member, "x x x x x x x x x x x"},
		"project member and stage member": {setops.Member, setops.Member, "x x - - - x - x - - -"},
	} {
		marks := strings.Fields(row.allowed)
		if len(marks) != len(actions) {
			t.Fatalf("%s has %d marks for %d actions", name, len(marks), len(actions))
		}
		for i, x := range marks {
			if got := Allowed(actions[i], row.project, row.stage); got != (x == "x") {
				t.Errorf("%s may %s: %v", name, actions[i], got)
			}
		}
	}
	if Allowed("explode", setops.Admin, setops.Admin) {
		t.Error("an action that is not in the table is allowed")
	}
}

// roles is an AccessStore with project shop (p), its stages production (s) and staging (s2), and one user's roles.
type roles map[string]setops.Role

func (r roles) Roles(context.Context, string) (map[string]setops.Role, error) { return r, nil }

func (r roles) Project(_ context.Context, organization, name string) (setops.Project, bool, error) {
	return setops.Project{ID: "p", Name: "shop"}, organization == "o" && name == "shop", nil
}

func (r roles) Stages(context.Context, string) ([]setops.Stage, error) {
	return []setops.Stage{{ID: "s", Name: "production"}, {ID: "s2", Name: "staging"}}, nil
}

func (r roles) Stage(ctx context.Context, project, name string) (setops.Stage, bool, error) {
	all, err := r.Stages(ctx, project)
	for _, s := range all {
		if s.Name == name {
			return s, true, err
		}
	}
	return setops.Stage{}, false, err
}

func TestWhatOneMayNotSeeDoesNotExist(t *testing.T) {
	user := setops.User{ID: "u", OrganizationID: "o", Organization: "demo"}
	for name, test := range map[string]struct {
		roles               roles
		organization        string
		project, production setops.Code // what asking to see them says
		destroy             setops.Code
	}{
		"nobody":                 {nil, "demo", setops.ProjectDoesNotExist, setops.ProjectDoesNotExist, setops.ProjectDoesNotExist},
		"another organization":   {roles{"p": setops.Admin}, "other", setops.OrganizationDoesNotExist, setops.OrganizationDoesNotExist, setops.OrganizationDoesNotExist},
		"project admin":          {roles{"p": setops.Admin}, "demo", "", "", ""},
		"project member":         {roles{"p": setops.Member}, "demo", "", "", setops.CodeInsufficientPrivileges},
		"admin of the stage":     {roles{"s": setops.Admin}, "demo", "", "", ""},
		"member of the stage":    {roles{"s": setops.Member}, "demo", "", "", setops.CodeInsufficientPrivileges},
		"admin of another":       {roles{"s2": setops.Admin}, "demo", "", setops.StageDoesNotExist, setops.StageDoesNotExist},
		"admin of another one's": {roles{"elsewhere": setops.Admin}, "demo", setops.ProjectDoesNotExist, setops.ProjectDoesNotExist, setops.ProjectDoesNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			access := Access{Store: test.roles}
			check := func(what string, err error, want setops.Code) {
				if (want == "" && err != nil) || (want != "" && !setops.IsCode(err, want)) {
					t.Errorf("%s: %v, not %q", what, err, want)
				}
			}
			_, err := access.Project(t.Context(), user, test.organization, "shop", SeeProject)
			check("see the project", err, test.project)
			_, _, err = access.Stage(t.Context(), user, test.organization, "shop", "production", SeeStage)
			check("see the stage", err, test.production)
			_, _, err = access.Stage(t.Context(), user, test.organization, "shop", "production", DestroyStage)
			check("destroy the stage", err, test.destroy)
		})
	}
}

func TestAStageThatIsHiddenAndOneThatIsNotThereLookAlike(t *testing.T) {
	access := Access{Store: roles{"s2": setops.Member}}
	user := setops.User{ID: "u", OrganizationID: "o", Organization: "demo"}
	_, _, hidden := access.Stage(t.Context(), user, "demo", "shop", "production", SeeStage)
	_, _, missing := access.Stage(t.Context(), user, "demo", "shop", "nothing", SeeStage)
	if strings.ReplaceAll(hidden.Error(), "production", "nothing") != missing.Error() {
		t.Errorf("%v\n%v", hidden, missing)
	}
	access.Store = roles{}
	_, hiddenProject := access.Project(t.Context(), user, "demo", "shop", DestroyProject)
	_, missingProject := access.Project(t.Context(), user, "demo", "nothing", DestroyProject)
	if strings.ReplaceAll(hiddenProject.Error(), "shop", "nothing") != missingProject.Error() {
		t.Errorf("%v\n%v", hiddenProject, missingProject)
	}
}

func TestOnlyVisibleStagesAreListed(t *testing.T) {
	for name, test := range map[string]struct {
		roles roles
		want  string
	}{
		"nobody": {nil, ""}, "project member": {roles{"p": setops.Member}, "production staging"}, "stage member": {roles{"s2": setops.Member}, "staging"},
	} {
		visible, err := Access{Store: test.roles}.VisibleStages(t.Context(), setops.User{ID: "u"}, setops.Project{ID: "p"})
		var names []string
		for _, s := range visible {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != test.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
