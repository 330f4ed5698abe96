import { NoSuchThing } from 'electron'
