package setops

import "time"

// User is somebody who is signed in, or whose session a request carries, in one organization.
type User struct {
	ID, Email                    string
	OrganizationID, Organization string

	Admin   bool // of the organization itself: that gives no role on projects
	Service bool // no person; Email is NAME@ORGANIZATION
}

// Grant is a role that somebody has on a project or a stage, or will have once an invitation is accepted.
type Grant struct {
	Email   string
	Role    Role
	Service bool
	Invited bool // there is an invitation that was not accepted yet
}

// Invitation is a role that waits for somebody to accept it. Project and Stage are empty where it is about the whole organization.
type Invitation struct {
	ID, Email                    string
	OrganizationID, Organization string
	ScopeID                      string // of the project, the stage or the organization
	Project, Stage               string
	Role                         Role
	InvitedBy                    string // e-mail address; empty: the operator of the server
	CreatedAt, ExpiresAt         time.Time

	// HasAccount says that there is a user of that address already: it is accepted with the password of that one.
	HasAccount bool
}

// Scope is a project, or a stage of one where StageID is not empty.
type Scope struct{ ProjectID, StageID string }

// ServiceUser is a user that is no person, as a pipeline.
type ServiceUser struct {
	ID, Email string
	CreatedAt time.Time
	CreatedBy string // e-mail address
}

// Organization is one of those that somebody belongs to.
type Organization struct {
	ID, Name string
	Admin    bool // whether that one is an admin of it
}

// Event is a line of the audit log. It never holds a value of env, a password or a token.
type Event struct {
	ID                                 string
	At                                 time.Time
	OrganizationID                     string
	ProjectID, Project, StageID, Stage string // empty where it is about no project or stage
	Who, Action, What                  string
	Address                            string // that was asked from, of sign-ins
	Times                              int    // how often it happened in a row; 1 but for refused sign-ins
}

// EventQuery chooses events: those of one scope by its id, within both limits of time, which are exclusive; zero is none.
type EventQuery struct {
	OrganizationID, ProjectID, StageID string // of the last one that is not empty
	After, Before                      time.Time
	Limit                              int // the newest so many
}

// Role is what somebody may do on a project or a stage. The table: behaviour reference, "Roles".
type Role string

// The roles.
const (
	Admin  Role = "admin"
	Member Role = "member"
)

// Project is a namespace for stages.
type Project struct {
	ID, Name  string
	CreatedAt time.Time
	CreatedBy string // e-mail address
}

// Stage is a self-contained environment of a project.
type Stage struct {
	ID, ProjectID, Name string
	CreatedAt           time.Time
	CreatedBy           string // e-mail address
	Version             int64  // counts the committed states
	LogRetention        int    // days, as committed; 0: the default
	Destroying          bool   // it is being taken down; nothing of it can be changed any more
}

// Keeper is the one of several servers on one database that has the engine open: it keeps the tasks, runs commits and routes.
type Keeper struct {
	Machine  string    `json:"machine"`        // its id: an engine of a single host is reached from there alone; on a cluster, the server's own
	Instance string    `json:"instance"`       // of the installation
	Address  string    `json:"address"`        // URL of its API, for the other servers
	Until    time.Time `json:"until"`          // when it is taken for gone, unless it says otherwise before
	Gone     bool      `json:"gone,omitempty"` // it has given up its place
}

// Equal reports whether nothing was said since: each time that a keeper says that it is there has another Until.
func (k Keeper) Equal(other Keeper) bool {
	until := k.Until.Equal(other.Until)
	k.Until, other.Until = time.Time{}, time.Time{}
	return until && k == other
}
