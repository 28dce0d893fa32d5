module flatssl

go 1.19
