package web

import "rempart"

// everybody is any right: who is signed in passes.
const everybody rempart.Right = ""

// A doorRule says who may pass a door of the console.
type doorRule struct {
	right rempart.Right
	fresh bool // only soon after a second factor, see [rempart.FreshFor]
}

// doors says who may pass each door of the console. A door that is not here
// opens for nobody; a test holds it against the table of routes. An
// administrator sees no case and no notice.
var doors = map[string]doorRule{
	"POST /console/sign-out":         {right: everybody},
	"GET /console/{$}":               {right: everybody},
	"GET /console/me":                {right: everybody},
	"POST /console/me/totp":          {right: everybody},
	"POST /console/me/totp/confirm":  {right: everybody},
	"POST /console/me/passkeys":      {right: everybody},
	"POST /console/me/factors/{id}":  {right: everybody, fresh: true},
	"POST /console/me/sessions":      {right: everybody},
	"GET /console/me/oidc":           {right: everybody},
	"POST /console/me/oidc":          {right: everybody},
	"POST /console/me/oidc/remove":   {right: everybody},
	"GET /console/places":            {right: everybody},
	"GET /console/verify":            {right: everybody},
	"POST /console/verify":           {right: everybody},
	"GET /console/admin":             {right: rempart.RightAdmin},
	"GET /console/admin/staff":       {right: rempart.RightAdmin, fresh: true},
	"POST /console/admin/staff":      {right: rempart.RightAdmin, fresh: true},
	"POST /console/admin/staff/{id}": {right: rempart.RightAdmin, fresh: true},
	"GET /console/audit":             {right: rempart.RightAudit},

	"GET /console/cases/{ref}":                      {right: rempart.RightRead},
	"POST /console/cases/{ref}/facts":               {right: rempart.RightWork},
	"POST /console/cases/{ref}/pack":                {right: rempart.RightWork},
	"POST /console/cases/{ref}/qualifications":      {right: rempart.RightWork},
	"POST /console/cases/{ref}/qualifications/{id}": {right: rempart.RightWork},
	"POST /console/cases/{ref}/items/{id}":          {right: rempart.RightWork},
	"POST /console/cases/{ref}/addresses":           {right: rempart.RightWork},
	"POST /console/cases/{ref}/notices":             {right: rempart.RightWork},
	"GET /console/cases/{ref}/notices/{id}":         {right: rempart.RightRead},
	"POST /console/cases/{ref}/notices/{id}":        {right: rempart.RightWork},
	"POST /console/cases/{ref}/state":               {right: rempart.RightWork},
	"POST /console/cases/{ref}/messages":            {right: rempart.RightWork},

	"POST /console/cases/{ref}/notices/{id}/items/{item}": {right: rempart.RightWork},
	"GET /console/cases/{ref}/steps/{id}":                 {right: rempart.RightRead},
	"POST /console/cases/{ref}/steps/{id}":                {right: rempart.RightWork},

	"GET /console/cases/{ref}/merge":  {right: rempart.RightWork},
	"POST /console/cases/{ref}/merge": {right: rempart.RightWork},
	"GET /console/cases/{ref}/split":  {right: rempart.RightWork},
	"POST /console/cases/{ref}/split": {right: rempart.RightWork},

	"POST /console/cases/{ref}/hold":          {right: rempart.RightWork},
	"POST /console/cases/{ref}/identity":      {right: rempart.RightWork},
	"POST /console/cases/{ref}/identity/open": {right: rempart.RightIdentity, fresh: true},

	"POST /console/cases/{ref}/clocks":      {right: rempart.RightWork},
	"POST /console/cases/{ref}/clocks/{id}": {right: rempart.RightWork},
	"POST /console/cases/{ref}/assign":      {right: rempart.RightWork},
	"POST /console/cases/{ref}/skip":        {right: rempart.RightWork},
	"GET /console/campaigns":                {right: rempart.RightFigures},
	"GET /console/campaigns/{id}":           {right: rempart.RightFigures},
	"GET /console/register":                 {right: rempart.RightRead},
	"POST /console/register":                {right: rempart.RightWork},
	"GET /console/register/{id}":            {right: rempart.RightRead},
	"POST /console/register/{id}":           {right: rempart.RightWork},
	"GET /console/lists":                    {right: rempart.RightRead},
	"POST /console/lists/{id}":              {right: rempart.RightWork},
	"GET /console/matches":                  {right: rempart.RightModerate},
	"POST /console/matches/{id}":            {right: rempart.RightModerate},
	"GET /console/next":                     {right: rempart.RightRead},
	"POST /console/views":                   {right: rempart.RightRead},
	"GET /console/search":                   {right: rempart.RightRead},
	"GET /console/mails":                    {right: rempart.RightRead},
	"POST /console/mails":                   {right: rempart.RightWork},
	"POST /console/mails/{id}":              {right: rempart.RightWork},
	"POST /console/search":                  {right: rempart.RightRead},
	"GET /console/calendar":                 {right: rempart.RightRead},
	"GET /console/calendar.ics":             {right: rempart.RightRead},
	"GET /console/rest":                     {right: rempart.RightRead},
	"POST /console/rest":                    {right: rempart.RightRead},
	"POST /console/rest/end":                {right: rempart.RightRead},
	"POST /console/rest/least":              {right: rempart.RightRest},
	"POST /console/bulk":                    {right: rempart.RightBulk},
	"GET /console/bulk/{id}":                {right: rempart.RightBulk},
	"POST /console/bulk/{id}/undo":          {right: rempart.RightBulk},
	"GET /console/dashboard":                {right: rempart.RightFigures},
	"GET /console/admin/services":           {right: rempart.RightAdmin},
	"GET /console/admin/services.csv":       {right: rempart.RightAdmin},
	"POST /console/admin/services":          {right: rempart.RightAdmin},
	"GET /console/admin/delays":             {right: rempart.RightAdmin},
	"POST /console/admin/delays":            {right: rempart.RightAdmin},
	"GET /console/admin/templates":          {right: rempart.RightAdmin},
	"POST /console/admin/templates":         {right: rempart.RightAdmin},

	"GET /console/notices/{number}":                         {right: rempart.RightModerate},
	"POST /console/notices/{number}/items/{id}":             {right: rempart.RightModerate},
	"POST /console/notices/{number}/complaints/{complaint}": {right: rempart.RightModerate},
	"POST /console/notices/{number}/notifier":               {right: rempart.RightModerate},
	"POST /console/notices/{number}/referral":               {right: rempart.RightModerate},
	"POST /console/notices/{number}/hold":                   {right: rempart.RightModerate},
	"POST /console/notices/{number}/orders/{id}":            {right: rempart.RightModerate},
	"GET /console/statements.csv":                           {right: rempart.RightStatements},
	"GET /console/check":                                    {right: rempart.RightModerate},
	"POST /console/check":                                   {right: rempart.RightModerate},

	"GET /console/campaigns/{id}/annotate":   {right: rempart.RightAnnotate},
	"POST /console/campaigns/{id}/annotate":  {right: rempart.RightAnnotate},
	"GET /console/campaigns/{id}/settle":     {right: rempart.RightSettle},
	"POST /console/campaigns/{id}/settle":    {right: rempart.RightSettle},
	"POST /console/campaigns/{id}/end":       {right: rempart.RightSettle},
	"GET /console/campaigns/{id}/labels.csv": {right: rempart.RightFigures},
}
