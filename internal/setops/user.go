package setops

import "time"

// User is somebody who is signed in, or whose session a request carries, in one organization.
type User struct {
	ID, Email                    string
	OrganizationID, Organization string
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
	Destroying          bool   // it is being taken down; nothing of it can be changed any more
}

// Keeper is the one of several servers on one database that has the engine open: it keeps the tasks, runs commits and routes.
type Keeper struct {
	Machine  string    `json:"machine"`  // its id: an engine of a single host is reached from there alone
	Instance string    `json:"instance"` // of the data directory
	Address  string    `json:"address"`  // URL of its API, for the other servers
	Until    time.Time `json:"until"`    // when it is taken for gone, unless it says otherwise before
}
